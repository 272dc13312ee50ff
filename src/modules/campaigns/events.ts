import type { EventTexts } from '../webhooks/webhooks.ts';

declare module '../webhooks/webhooks.ts' {
  interface PublicEvents {
    'campaign.launched': { readonly campaignId: number };
    'campaign.finished': { readonly campaignId: number };
  }
}

export const events: EventTexts = {
  'campaign.launched': {
    means: 'A campaign is being sent: somebody has launched it, or its time has come.',
    example: { campaignId: 7 },
  },
  'campaign.finished': {
    means: 'A campaign has been sent: every recipient has got an email, or has failed for good.',
    example: { campaignId: 7 },
  },
};
