import type { EventTexts } from '../../../../src/modules/webhooks/webhooks.ts';

declare module '../../../../src/modules/webhooks/webhooks.ts' {
  interface PublicEvents {
    'note.written': { readonly noteId: number };
  }
}

/** The events that webhooks can listen to. */
export const events: EventTexts = {
  'note.written': { means: 'Somebody has written a note.', example: { noteId: 3 } },
};
