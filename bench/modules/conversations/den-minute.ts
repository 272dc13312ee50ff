import { inconclusiveReasons } from '../../load/calibration.ts';
import { lostOf } from '../../load/history.ts';
import { CALIBRATION_FACTOR_MIN } from '../../load/limits.ts';
import type { Account, Mix } from '../../load/plan.ts';
import { type Phase, requestsOf, secondsOf } from '../../load/schedule.ts';
import { startLoad } from '../../load/start-load.ts';
import { round, sum } from '../../numbers.ts';
import { failuresOf, type Scenario, type ScenarioContext } from '../../scenarios/scenario.ts';
import type { LoadFigures } from '../../types.ts';
import { LAUNCHES, smallCustomer } from '../campaigns/launches.ts';
import { invite } from './invite.ts';
import { SOCKET_MESSAGES, SOCKETS, type SocketsPlan } from './sockets-plan.ts';

const PEAK_PER_MINUTE = 16_000;
const PEAK_PER_SECOND = PEAK_PER_MINUTE / 60;
const AVERAGE_PER_SECOND = 25;
const RISE_SECONDS = 3;
const P99_MS_MAX = 1_000;
const MULTIPLES = { ci: [5, 10], full: [2, 4, 6, 8, 10, 12, 15] };
const PEAK_SECONDS = { ci: 8, full: 60 };
const MULTIPLE_PEAK_SECONDS = { ci: 5, full: 10 };

/**
 * Each is a transaction that is committed: at the peak 64 companies a minute import, 16 launch, and everybody answers.
 * The announcement before a file, and the draft before a launch, come on top.
 */
const SHARES = { answers: 0.995, imports: 0.004, launches: 0.001 };

/** Everybody has the chat open when the question is asked; some have answered more often than others. */
const QUESTIONS = 8;
const PEOPLE_PER_NEEDED = 1.3;
const PEOPLE_MIN = 200;
const CONNECT_PER_SECOND = 400;
/** Half of them are files; each needs its announcement before. */
const IMPORTS: Mix = { 'POST /api/v1/imports': 1, 'PUT /api/v1/imports/{id}/file': 1 };

/** From a quiet evening to 16,000 transactions a minute within seconds, and back; then how many times that. */
export const denMinute: Scenario = {
  name: 'den-minute',
  promise: 'den-minute',
  line: `from ${AVERAGE_PER_SECOND} a second to ${PEAK_PER_MINUTE} committed answers, imports and launches a minute within ${RISE_SECONDS} s and back: nothing fails, p99 under ${P99_MS_MAX} ms`,

  async run(context) {
    const { layout, calibration, profile, workload } = context;
    const small = await smallCustomer(layout.addresses);
    const first = await evening(context, small, 1);
    const loads: Record<string, LoadFigures> = { ...first.loads };
    let held = first;
    // What the generator could not prove is not tried.
    const provable = calibration.nullServerPerSecond / CALIBRATION_FACTOR_MIN / PEAK_PER_SECOND;
    for (const times of isHeld(first) ? MULTIPLES[profile].filter((one) => one <= provable) : []) {
      const more = await evening(context, small, times);
      loads[`answers, ${times} times`] = more.loads.answers;
      if (!isHeld(more)) break;
      held = more;
    }
    const { lost } = await lostOf(layout.addresses.databaseUrl, workload.history, historiesOf(context));
    return {
      inconclusive: inconclusiveReasons(first.loads.answers, calibration),
      conditions: [
        {
          says: `nothing failed (${first.failed}), nothing lost (${lost})`,
          holds: first.failed + lost === 0,
        },
        { says: `p99 ${round(first.p99Ms)} ms under ${P99_MS_MAX} ms`, holds: first.p99Ms < P99_MS_MAX },
      ],
      figures: {
        peakPerMinute: PEAK_PER_MINUTE,
        p99Ms: round(first.p99Ms),
        timesHeld: isHeld(first) ? held.times : 0,
        timesProvable: round(provable),
        perMinuteHeld: isHeld(first) ? held.times * PEAK_PER_MINUTE : 0,
        heldP99Ms: round(held.p99Ms),
        committed: held.committed,
        lost,
      },
      loads,
    };
  },
};

interface Evening {
  readonly times: number;
  readonly loads: Readonly<Record<'answers' | 'imports' | 'launches', LoadFigures>>;
  readonly committed: number;
  /** Refused, failed, wrong, or never sent. */
  readonly failed: number;
  /** Of answers, imports and launches, the highest. */
  readonly p99Ms: number;
}

async function evening(context: ScenarioContext, small: Account, times: number): Promise<Evening> {
  const { layout, accounts, profile, onSample } = context;
  const { api, chat } = layout.addresses;
  const phases = phasesOf(times, profile);
  const answers = scaled(phases, SHARES.answers);
  const people = Math.max(PEOPLE_MIN, Math.ceil((requestsOf(answers) / QUESTIONS) * PEOPLE_PER_NEEDED));
  const connectSeconds = people / CONNECT_PER_SECOND;
  const [answersFile, importsFile] = historiesOf(context) as [string, string];
  const chatPlan: SocketsPlan = {
    kind: SOCKETS,
    url: chat,
    tokens: await invite(layout.addresses, { people, questions: QUESTIONS }),
    connectSeconds,
    mode: 'steady',
    pace: { kind: 'schedule', phases: answers, arrivals: 'poisson' },
    seconds: secondsOf(phases),
    seed: times,
    historyFile: answersFile,
  };
  const chatting = startLoad(chatPlan, onSample);
  const beside = { kind: 'open-loop', url: api, arrivals: 'poisson', seed: times } as const;
  const quiet = { seconds: connectSeconds, perSecond: 0 };
  const importing = startLoad({
    ...beside,
    phases: [quiet, ...scaled(phases, 2 * SHARES.imports)],
    mix: IMPORTS,
    accounts: accounts.filter(({ isSmall }) => isSmall !== true),
    historyFile: importsFile,
  });
  const launching = startLoad({
    ...beside,
    phases: [quiet, ...scaled(phases, 2 * SHARES.launches)],
    mix: LAUNCHES,
    accounts: [small],
  });
  const loads = {
    answers: await chatting.figures,
    imports: await importing.figures,
    launches: await launching.figures,
  };
  const committed = [
    loads.answers.byRoute[SOCKET_MESSAGES.answer],
    loads.imports.byRoute['PUT /api/v1/imports/{id}/file'],
    loads.launches.byRoute['POST /api/v1/campaigns/{id}/launch'],
  ].filter((figures) => figures !== undefined);
  return {
    times,
    loads,
    committed: sum(committed.map(({ count }) => count)),
    failed: failuresOf(loads).all + sum(Object.values(loads).map(({ dropped }) => dropped)),
    p99Ms: Math.max(...committed.map(({ p99Ms }) => p99Ms)),
  };
}

function phasesOf(times: number, profile: ScenarioContext['profile']): Phase[] {
  const peak = PEAK_PER_SECOND * times;
  return [
    { seconds: 2, perSecond: AVERAGE_PER_SECOND },
    { seconds: RISE_SECONDS, perSecond: peak, from: AVERAGE_PER_SECOND },
    { seconds: times === 1 ? PEAK_SECONDS[profile] : MULTIPLE_PEAK_SECONDS[profile], perSecond: peak },
    { seconds: 2, perSecond: AVERAGE_PER_SECOND },
  ];
}

function scaled(phases: readonly Phase[], share: number): Phase[] {
  return phases.map(({ seconds, perSecond, from = perSecond }) => ({
    seconds,
    perSecond: perSecond * share,
    from: from * share,
  }));
}

function historiesOf({ historyFile }: Pick<ScenarioContext, 'historyFile'>): string[] {
  return ['answers', 'imports'].map((name) => `${historyFile}.${name}`);
}

function isHeld({ failed, p99Ms }: Evening): boolean {
  return failed === 0 && p99Ms < P99_MS_MAX;
}
