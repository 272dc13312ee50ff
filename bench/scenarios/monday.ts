import { invite } from '../load/invite.ts';
import { OFFICE_DAY, routesOf } from '../load/mixes.ts';
import { startLoad } from '../load/start-load.ts';
import type { LoadFigures } from '../types.ts';
import { round, type Scenario, type ScenarioContext, unmet } from './scenario.ts';

const PER_SECOND = 40;
const SECONDS = { ci: 8, full: 30 };
const PAIRS = { ci: 2, full: 5 };
const RATIO_MAX = 1.2;
const CHATTING = { people: 100, questions: 8, answersPerSecond: 20 };

/** A campaign to the biggest organisation runs while people work: with and without it in turn, in one run. */
export const monday: Scenario = {
  name: 'monday',
  promise: 'monday',
  line: `a campaign being sent does not slow the dashboard or the chat: p95 of both with it within ${RATIO_MAX} of without, in turn`,

  async run(context) {
    const loads: Record<string, LoadFigures> = {};
    const ratios = { dashboard: [] as number[], chat: [] as number[] };
    let sentMeanwhile = 0;
    for (let pair = 1; pair <= PAIRS[context.profile]; pair++) {
      const without = await day(context, pair);
      const campaign = await launch(context, pair);
      const before = await sent(context, campaign);
      const withIt = await day(context, pair);
      sentMeanwhile += (await sent(context, campaign)) - before;
      // A fast machine may be done with the campaign by now.
      await call(context, 'POST', `/api/campaigns/${campaign}/cancel`).catch(() => undefined);
      loads[`without, ${pair}`] = without.dashboard;
      loads[`with, ${pair}`] = withIt.dashboard;
      loads[`chat without, ${pair}`] = without.chat;
      loads[`chat with, ${pair}`] = withIt.chat;
      ratios.dashboard.push(withIt.dashboard.latency.p95Ms / without.dashboard.latency.p95Ms);
      ratios.chat.push(answerP95(withIt.chat) / answerP95(without.chat));
    }
    const [ratio, chatRatio] = [median(ratios.dashboard), median(ratios.chat)];
    const inWords = (values: readonly number[]) => values.map((value) => round(value, 2)).join(' ');
    return {
      met: ratio <= RATIO_MAX && chatRatio <= RATIO_MAX && sentMeanwhile > 0,
      reasons: unmet({
        [`p95 with the campaign ${round(ratio, 2)} of without, at most ${RATIO_MAX}`]: ratio <= RATIO_MAX,
        [`the chat's ${round(chatRatio, 2)}, at most ${RATIO_MAX}`]: chatRatio <= RATIO_MAX,
        [`mails were sent meanwhile (${sentMeanwhile})`]: sentMeanwhile > 0,
      }),
      figures: {
        p95Ratio: round(ratio, 2),
        ratios: inWords(ratios.dashboard),
        chatP95Ratio: round(chatRatio, 2),
        chatRatios: inWords(ratios.chat),
        sentMeanwhile,
      },
      loads,
      covers: Object.values(loads).flatMap((figures) => routesOf(figures.byRoute)),
    };
  },
};

async function day({ layout, accounts, profile, onSample }: ScenarioContext, seed: number) {
  const seconds = SECONDS[profile];
  const { people, questions, answersPerSecond } = CHATTING;
  const tokens = await invite(layout.addresses, { people, questions });
  const dashboard = startLoad(
    {
      kind: 'open-loop',
      url: layout.addresses.api,
      arrivals: 'poisson',
      seed,
      phases: [{ seconds, perSecond: PER_SECOND }],
      mix: OFFICE_DAY,
      accounts,
      warmUpSeconds: 1,
    },
    onSample,
  );
  const chat = startLoad({
    kind: 'sockets',
    url: layout.addresses.chat,
    tokens,
    connectSeconds: 1,
    mode: 'steady',
    pace: { kind: 'schedule', phases: [{ seconds: seconds - 1, perSecond: answersPerSecond }], arrivals: 'poisson' },
    seconds: seconds - 1,
    seed,
  });
  return { dashboard: await dashboard.figures, chat: await chat.figures };
}

function answerP95({ byRoute }: LoadFigures): number {
  return byRoute['socket answer']?.p95Ms ?? Number.NaN;
}

async function launch(context: ScenarioContext, pair: number): Promise<number> {
  const campaign = await call<{ id: number }>(context, 'POST', '/api/campaigns', {
    name: `Monday ${pair}`,
    subject: 'Hi',
    body: 'Hello {{name}}',
  });
  await call(context, 'POST', `/api/campaigns/${campaign.id}/launch`);
  return campaign.id;
}

async function sent(context: ScenarioContext, campaign: number): Promise<number> {
  const { progress } = await call<{ progress: { sent: number } }>(context, 'GET', `/api/campaigns/${campaign}`);
  return progress.sent;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [
    sorted[Math.floor((sorted.length - 1) / 2)] ?? 0,
    sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0,
  ];
  return (low + high) / 2;
}

/** The position of our last write: what we read next is at least that new. */
let readAfter = '';

/** As the owner of the biggest organisation. */
async function call<T>(
  { layout, accounts }: ScenarioContext,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const owner = accounts[0];
  if (owner === undefined) throw new Error('Nobody is signed in.');
  const response = await fetch(new URL(path, layout.addresses.api), {
    method,
    headers: {
      authorization: `Bearer ${owner.token}`,
      'read-after': readAfter,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  readAfter = response.headers.get('read-after') ?? readAfter;
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
