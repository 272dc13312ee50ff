import type { StagingRules } from '../faces.ts';

export const staging: StagingRules = {
  conversations: { columns: {} },
  messages: { columns: { sender: 'kept', author: 'name', nonce: 'dropped', body: 'blanked', asks: 'kept' } },
};
