import type { Role } from '../../db/schema.ts';
import type { EventTexts } from '../webhooks/webhooks.ts';

declare module '../webhooks/webhooks.ts' {
  interface PublicEvents {
    'member.joined': { readonly userId: number; readonly role: Role };
    'member.removed': { readonly userId: number };
  }
}

export const events: EventTexts = {
  'member.joined': { means: 'Somebody has accepted an invitation.', example: { userId: 12, role: 'viewer' } },
  'member.removed': { means: 'A member has left, or was removed.', example: { userId: 12 } },
};
