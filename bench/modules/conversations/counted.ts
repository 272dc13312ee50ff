import { call } from '../../call.ts';
import type { Counters } from '../../counters/budgets.ts';
import type { CountContext } from '../../counters/count-context.ts';
import type { Target } from '../../counters/count-requests.ts';
import { oldestCampaign } from '../campaigns/counted.ts';
import { checkInTokens } from './check-in-tokens.ts';
import { countAnswers } from './count-answers.ts';

export async function requests(context: CountContext): Promise<Readonly<Record<string, Target>>> {
  const { addresses, account } = context;
  const list = `/api/v1/conversations?limit=50&campaignId=${await oldestCampaign(context)}`;
  const { items } = (await call<{ items: { id: number }[] }>(addresses.api, list, account)).json;
  return {
    'GET /api/v1/conversations': { path: list },
    'GET /api/v1/conversations/{id}': { path: `/api/v1/conversations/${items.at(-1)?.id}` },
  };
}

export async function others(context: CountContext): Promise<Counters> {
  const { databaseUrl, secretKey, chat } = context.addresses;
  const campaignId = await newestLaunched(context);
  const [token = ''] = await checkInTokens(databaseUrl, secretKey, { count: 1, campaignId });
  return countAnswers(chat, token);
}

/** Its links still hold, and nobody else answers them. */
async function newestLaunched({ addresses, account }: CountContext): Promise<number> {
  const { items } = (
    await call<{ items: { id: number; launchedAt: string | null }[] }>(
      addresses.api,
      '/api/v1/campaigns?limit=50',
      account,
    )
  ).json;
  const launched = items.find(({ launchedAt }) => launchedAt !== null);
  if (launched === undefined) throw new Error('the seed has launched no campaign in the organisation that is asked');
  return launched.id;
}
