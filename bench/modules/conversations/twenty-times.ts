import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { round } from '../../numbers.ts';
import type { OwnLayoutContext, OwnLayoutScenario } from '../../scenarios/scenario.ts';
import { type Climbed, climb } from './twenty-times/climb.ts';
import { ladderTable } from './twenty-times/ladder-table.ts';
import {
  ACK_P99_MS_MAX,
  DASHBOARD_P95_MS_MAX,
  DASHBOARD_PER_SECOND,
  MAILS_PER_SECOND_MIN,
  THINK_MS,
  TIMES,
} from './twenty-times/limits.ts';
import { RUNGS, type Rung } from './twenty-times/rungs.ts';

const TIMES_MIN = 20;
const KEPT = path.resolve(import.meta.dirname, '..', '..', 'results', 'twenty-times.json');

/**
 * The same product written the usual way, and the steps from there to the product, each held to the same service level.
 * The first and the last rung are measured again at the end, when the machine may be another one.
 */
export const twentyTimes: OwnLayoutScenario = {
  name: 'twenty-times',
  promise: 'twenty-times',
  line: `at least ${TIMES_MIN} times the chat users of the same product written the usual way, within one service level: ack p99 under ${ACK_P99_MS_MAX} ms, dashboard p95 under ${DASHBOARD_P95_MS_MAX} ms, 30,000 mails going out`,
  profile: 'full',

  async run(context) {
    const [first, last] = [RUNGS[0], RUNGS.at(-1)] as [Rung, Rung];
    const ladder: Climbed[] = [];
    for (const rung of RUNGS) ladder.push(await climbFrom(context, rung, ladder.at(-1)));
    const [bottom, top] = [ladder[0], ladder.at(-1)] as [Climbed, Climbed];
    const again = [await climbFrom(context, first, bottom), await climbFrom(context, last, top)] as const;
    const tops = [top, again[1]];
    const bottoms = [bottom, again[0]];
    // The pair that says least for us.
    const ratio = Math.min(...tops.map(({ users }) => users)) / Math.max(...bottoms.map(usersAtMost));
    const all = [...ladder, ...again];
    const table = ladderTable(all);
    if (context.profile === 'full') keep(all, ratio);
    context.say(`\n${table}\n\n${RATIO_SAYS}: ${round(ratio)}\n`);
    return {
      inconclusive: [
        ...new Set(all.flatMap(({ faults }) => faults)),
        // Too low a bottom would make the ratio too high; too low a top only makes it too low.
        ...bottoms.flatMap(({ isAtLeast, rung }) =>
          isAtLeast ? [`"${rung}" may hold more: nothing broke, or the generator did`] : [],
        ),
      ],
      conditions: [
        { says: `the product holds ${round(ratio)} times the users, at least ${TIMES_MIN}`, holds: ratio >= TIMES_MIN },
        ...tops.map(({ lost }) => ({
          says: `nothing acknowledged by the product is lost (${lost})`,
          holds: lost === 0,
        })),
      ],
      hints: cpus().length <= 2 ? [`the generators shared ${cpus().length} cores with what they measured`] : [],
      figures: {
        ratio: round(ratio),
        usersBefore: bottoms.map(({ users }) => users).join(' and '),
        usersNow: tops.map(({ users, isAtLeast }) => `${isAtLeast ? 'at least ' : ''}${users}`).join(' and '),
        lost: tops.reduce((total, { lost }) => total + lost, 0),
        ...Object.fromEntries(ladder.map(({ rung, users, broke }) => [rung, `${users}; then ${broke}`])),
      },
      boxes: {},
      memory: {},
    };
  },
};

const RATIO_SAYS = 'top over bottom, the lower top over the higher bottom';

/** Where nothing held, the lowest that was tried is more than it holds. */
function usersAtMost({ users, levels }: Climbed): number {
  return users > 0 ? users : Math.min(...levels.map((level) => level.users));
}

function climbFrom(context: OwnLayoutContext, rung: Rung, below: Climbed | undefined): Promise<Climbed> {
  const { usersFirst } = TIMES[context.profile];
  return climb(context, rung, below === undefined || below.users === 0 ? usersFirst : below.users);
}

function keep(ladder: readonly Climbed[], ratio: number): void {
  mkdirSync(path.dirname(KEPT), { recursive: true });
  const serviceLevel = {
    ackP99Ms: ACK_P99_MS_MAX,
    dashboardP95Ms: DASHBOARD_P95_MS_MAX,
    dashboardPerSecond: DASHBOARD_PER_SECOND,
    mailsPerSecond: MAILS_PER_SECOND_MIN,
    thinkMs: THINK_MS,
  };
  const machine = { cpu: cpus()[0]?.model ?? '', cpus: cpus().length, node: process.version };
  const kept = {
    at: new Date().toISOString(),
    machine,
    serviceLevel,
    ratio: round(ratio, 2),
    ratioIs: RATIO_SAYS,
    ladder,
  };
  writeFileSync(KEPT, `${JSON.stringify(kept, null, 2)}\n`);
}
