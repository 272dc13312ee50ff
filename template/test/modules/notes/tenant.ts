import type { Tenant } from '../../../../test/scenarios/tenant.ts';

export const tenant: Tenant = {
  async arrange({ client, mark }) {
    const { body } = await client.send<{ id: number }>('POST', '/api/v1/notes', { title: `Note ${mark}` });
    return { notes: body.id };
  },
  requests: {
    'PATCH /api/v1/notes/{id}': { body: { title: 'Changed' }, headers: { 'if-match': '"1"' } },
  },
};
