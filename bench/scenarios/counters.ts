import { SEED_LOGIN } from '../../scripts/seed.ts';
import { compareWithBudgets, readBudgets, writeBudgets } from '../counters/budgets.ts';
import { call } from '../counters/call.ts';
import { countAnswers } from '../counters/count-answers.ts';
import { countMails } from '../counters/count-mails.ts';
import { countRequests, cpuOfRequests } from '../counters/count-requests.ts';
import { signIn } from '../load/accounts.ts';
import { checkInTokens } from '../load/check-in-tokens.ts';
import { routesOf } from '../load/mixes.ts';
import type { Account } from '../load/plan.ts';
import type { Scenario } from './scenario.ts';

/** Organisations of the seed that no other scenario signs in to: what is counted is the same, whatever ran before. */
const ASKED = 'admin@eightlegs.test';
const MAILED = 'admin@slowstepper.test';

/** What the code decides and the machine does not: statements, rows and bytes of each request, mail and answer. */
export const counters: Scenario = {
  name: 'counters',
  promise: 'no-slow-query-lands',
  line: 'no request, mail or answer asks more of the database, of Redis or of the line than its budget (bench/counters.json)',
  undisturbed: true,

  async run({ layout, writeCounters }) {
    const { api, chat, databaseUrl, secretKey } = layout.addresses;
    const account = await signIn(api, ASKED, SEED_LOGIN.password);
    const box = layout.boxes.get('api');
    if (box === undefined) throw new Error('the counters need the api in a box of its own');

    const requests = await countRequests(api, account);
    const cpuSeconds = await cpuOfRequests(api, account, () => box.figures().cpuSeconds);
    const mails = await countMails(layout.addresses, await signIn(api, MAILED, SEED_LOGIN.password));
    const campaignId = await newestLaunched(api, account);
    const [token = ''] = await checkInTokens(databaseUrl, secretKey, { count: 1, campaignId });
    const answers = await countAnswers(chat, token);
    const counted = { ...requests.counters, ...mails, ...answers, '1,000 requests: cpu seconds': cpuSeconds };

    if (writeCounters) writeBudgets(counted);
    const { grown, shrunk } = compareWithBudgets(counted, readBudgets());
    return {
      met: grown.length === 0,
      reasons: [
        ...grown.map((one) => `grown: ${one}`),
        ...shrunk.map((one) => `shrunk (--only=counters --write-counters keeps it so): ${one}`),
      ],
      figures: { counted: Object.keys(counted).length, grown: grown.length, cpuSecondsPer1000: cpuSeconds, ...counted },
      covers: [
        ...routesOf(Object.fromEntries(requests.asked.map((route) => [route, true]))),
        'socket hello',
        'socket answer',
      ],
    };
  },
};

/** Its links still hold, and nobody else answers them. */
async function newestLaunched(apiUrl: string, account: Account): Promise<number> {
  const { items } = (
    await call<{ items: { id: number; launchedAt: string | null }[] }>(
      apiUrl,
      account,
      'GET',
      '/api/campaigns?limit=50',
    )
  ).json;
  const launched = items.find(({ launchedAt }) => launchedAt !== null);
  if (launched === undefined) throw new Error('the seed has launched no campaign in the organisation that is asked');
  return launched.id;
}
