import { type CallOptions, call } from '../../call.ts';
import { median, round } from '../../numbers.ts';
import { judgedLatency, startDay } from '../../scenarios/day.ts';
import type { Condition, Scenario, ScenarioContext } from '../../scenarios/scenario.ts';
import type { LoadFigures } from '../../types.ts';

const PER_SECOND = 40;
const SECONDS = { ci: 8, full: 30 };
const PAIRS = { ci: 2, full: 5 };
const RATIO_MAX = 1.2;

/**
 * A campaign to the biggest organisation runs while people work: with and without it in turn, in one run. The other
 * modules are not known here: what they have going on beside the day is measured as the day is.
 */
export const monday: Scenario = {
  name: 'monday',
  promise: 'monday',
  gates: 'full',
  line: `a campaign being sent slows nobody down: p95 of the day's requests, and of what goes on beside them, with it within ${RATIO_MAX} of without, in turn`,

  async run(context) {
    const loads: Record<string, LoadFigures> = {};
    const ratios: Record<string, number[]> = {};
    let sentMeanwhile = 0;
    for (let pair = 1; pair <= PAIRS[context.profile]; pair++) {
      const without = await day(context, pair);
      const campaign = await launch(context, pair);
      const before = await sentOf(context, campaign);
      const during = await day(context, pair);
      sentMeanwhile += (await sentOf(context, campaign)) - before;
      // A fast machine may be done with the campaign by now.
      await ask(context, `/api/v1/campaigns/${campaign}/cancel`, { method: 'POST' }).catch(() => undefined);
      for (const [name, { figures, p95Ms }] of Object.entries(during)) {
        const other = without[name] as Measured;
        loads[`${name} without, ${pair}`] = other.figures;
        loads[`${name} with, ${pair}`] = figures;
        ratios[name] = [...(ratios[name] ?? []), p95Ms / other.p95Ms];
      }
    }
    return {
      conditions: [
        ...Object.entries(ratios).map(([name, values]): Condition => {
          const ratio = median(values);
          return {
            says: `p95 of the ${name} with the campaign ${round(ratio, 2)} of without, at most ${RATIO_MAX}`,
            holds: ratio <= RATIO_MAX,
          };
        }),
        { says: `mails were sent meanwhile (${sentMeanwhile})`, holds: sentMeanwhile > 0 },
      ],
      figures: {
        ...Object.fromEntries(
          Object.entries(ratios).map(([name, values]) => [`${name}P95Ratio`, round(median(values), 2)]),
        ),
        sentMeanwhile,
        ...Object.fromEntries(
          Object.entries(ratios).map(([name, values]) => [
            `${name}Ratios`,
            values.map((value) => round(value, 2)).join(' '),
          ]),
        ),
      },
      loads,
    };
  },
};

interface Measured {
  readonly figures: LoadFigures;
  readonly p95Ms: number;
}

/** Without the launches that this module itself has beside the day, and without what comes too seldom for a p95. */
async function day(context: ScenarioContext, seed: number): Promise<Record<string, Measured>> {
  const { ended } = await startDay(
    { ...context, benches: context.benches.filter(({ name }) => name !== 'campaigns' && name !== 'platform') },
    { seconds: SECONDS[context.profile], perSecond: PER_SECOND, seed, warmUpSeconds: 1 },
  );
  return Object.fromEntries(
    (await ended).map((load) => [load.name, { figures: load.figures, p95Ms: judgedLatency(load).p95Ms }]),
  );
}

async function launch(context: ScenarioContext, pair: number): Promise<number> {
  const body = { name: `Monday ${pair}`, subject: 'Hi', body: 'Hello {{name}}' };
  const { id } = await ask<{ id: number }>(context, '/api/v1/campaigns', { method: 'POST', body });
  await ask(context, `/api/v1/campaigns/${id}/launch`, { method: 'POST' });
  return id;
}

async function sentOf(context: ScenarioContext, campaign: number): Promise<number> {
  const { progress } = await ask<{ progress: { sent: number } }>(context, `/api/v1/campaigns/${campaign}`);
  return progress.sent;
}

/** The position of our last write: what we read next is at least that new. */
let readAfter = '';

/** As the owner of the biggest organisation. */
async function ask<T>(
  { layout, accounts }: ScenarioContext,
  path: string,
  options: Pick<CallOptions, 'method' | 'body'> = {},
): Promise<T> {
  const { json, headers } = await call<T>(layout.addresses.api, path, {
    ...options,
    token: accounts[0]?.token,
    headers: { 'read-after': readAfter },
  });
  readAfter = headers.get('read-after') ?? readAfter;
  return json;
}
