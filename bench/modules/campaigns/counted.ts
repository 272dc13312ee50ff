import { call } from '../../call.ts';
import type { CountContext } from '../../counters/count-context.ts';
import type { Target } from '../../counters/count-requests.ts';
import { idOf } from '../../load/step.ts';
import { countMails } from './count-mails.ts';

const CAMPAIGN = { name: 'Counted', subject: 'How was your week, {{name}}?', body: 'Hello {{name}}, how are things?' };

export async function requests(context: CountContext): Promise<Readonly<Record<string, Target>>> {
  const { addresses, account } = context;
  const oldest = await oldestCampaign(context);
  const draft = await call(addresses.api, '/api/v1/campaigns', {
    method: 'POST',
    token: account.token,
    body: CAMPAIGN,
  });
  return {
    'POST /api/v1/campaigns': { method: 'POST', path: '/api/v1/campaigns', body: CAMPAIGN },
    'PATCH /api/v1/campaigns/{id}': {
      method: 'PATCH',
      path: `/api/v1/campaigns/${idOf(draft.json)}`,
      body: { subject: 'Changed' },
    },
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
