import { call } from '../../call.ts';
import type { CountContext } from '../../counters/count-context.ts';
import type { Target } from '../../counters/count-requests.ts';
import { countMails } from './count-mails.ts';

const CAMPAIGN = { name: 'Counted', subject: 'How was your week, {{name}}?', body: 'Hello {{name}}, how are things?' };

export async function requests(context: CountContext): Promise<Readonly<Record<string, Target>>> {
  const oldest = await oldestCampaign(context);
  return {
    'POST /api/v1/campaigns': { method: 'POST', path: '/api/v1/campaigns', body: CAMPAIGN },
    'GET /api/v1/campaigns': { path: '/api/v1/campaigns?limit=10' },
    'GET /api/v1/campaigns/{id}': { path: `/api/v1/campaigns/${oldest}` },
    'GET /api/v1/campaigns/{id}/reach-outs': { path: `/api/v1/campaigns/${oldest}/reach-outs?limit=50` },
  };
}

export const others = countMails;

/** Of the seed: everybody has answered, and nothing in it changes with the hour of the day. */
export async function oldestCampaign({ addresses, account }: CountContext): Promise<number> {
  const { json } = await call<{ items: { id: number }[] }>(addresses.api, '/api/v1/campaigns', account);
  return json.items.at(-1)?.id ?? 0;
}
