import type { StagingRules } from '../faces.ts';

export const staging: StagingRules = {
  teams: { columns: { name: 'name' } },
  employees: { columns: { email: 'address', name: 'name' } },
  imports: {
    columns: {
      file_name: 'blanked',
      status: 'kept',
      rejections: { blanked: ['reason'] },
      error: 'blanked',
      reading: 'dropped', // has the titles of the file's columns
    },
  },
};
