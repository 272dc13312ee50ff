import { createHistogram, latencyFigures, recordMs } from '../../../bench/load/latency.ts';
import { createRandom } from '../../../bench/load/random.ts';
import type { BoxFigures, LoadFigures, RunResult, ScenarioResult } from '../../../bench/types.ts';

const MB = 1024 * 1024;
const random = createRandom(4);

/** A run that nobody ran: for the tests of the report, and to look at the page without waiting for a bench. */
export function madeUpRun(change: Partial<RunResult> = {}): RunResult {
  return {
    scenarios: [
      scenario('baseline', 'met', { mix: load(400, 3), chat: load(120, 5) }),
      scenario('overload', 'not met', { overload: load(1_500, 18) }, [
        'goodput fell to 71 % of the knee; 80 % are promised',
      ]),
      scenario('storm', 'inconclusive', {}, ['the generator was busy 81 % of the time, more than 70 %']),
    ],
    startedAt: '2026-11-02T09:30:00.000Z',
    profile: 'ci',
    layout: 'nano-each',
    commit: '0123456789abcdef0123456789abcdef01234567',
    dirty: false,
    versions: { node: '26.10.0', postgres: '18.4', redis: '8.2' },
    machine: { cpu: 'Made-up CPU', cores: 2, kernel: '6.1.0', memoryBytes: 4096 * MB },
    enforcedBy: 'cgroup v2',
    calibration: { nullServerPerSecond: 7_530, elu: 0.41 },
    seed: { scale: 1 },
    seconds: 312,
    ...change,
  };
}

export function scenario(
  name: string,
  outcome: ScenarioResult['outcome'],
  loads: Record<string, LoadFigures>,
  reasons: string[] = [],
): ScenarioResult {
  const boxes = {
    api: box(232),
    chat: box(141),
    mailer: box(158),
    primary: box(318),
    replica: box(402),
    redis: box(31),
  };
  const [first] = Object.values(loads);
  return {
    name,
    promise: name,
    line: `The ${name} is held: p99 under 100 ms, nobody is told anything wrong, no box is ever full.`,
    outcome,
    pass: outcome === 'met',
    reasons,
    figures: {
      p99Ms: first?.latency.p99Ms ?? null,
      achievedPerSecond: first?.achievedPerSecond ?? null,
      peakBytes: 402 * MB,
      queriesPerRequest: 2.125,
      wrong: 0,
      recovered: outcome === 'met',
      kneeSeconds: 3.25,
    },
    boxes,
    loads,
    memory: Object.fromEntries(
      Object.entries(boxes).map(([part, { neededPeakBytes }]) => [
        part,
        Array.from(
          { length: 61 },
          (_, at) => [at, neededPeakBytes * (0.7 + 0.3 * (at / 60) ** 0.4 - 0.04 * random.next())] as const,
        ),
      ]),
    ),
    covers: ['GET /api/v1/me'],
    seconds: 60,
  };
}

function box(peakMb: number): BoxFigures {
  return {
    limitBytes: 512 * MB,
    peakBytes: (peakMb + 40) * MB,
    neededPeakBytes: peakMb * MB,
    cpuSeconds: peakMb / 9,
    throttledSeconds: 0.4,
    oomKills: 0,
  };
}

function load(perSecond: number, medianMs: number): LoadFigures {
  const histogram = createHistogram();
  const seconds = 60;
  for (let nth = 0; nth < perSecond * seconds; nth++)
    recordMs(
      histogram,
      medianMs * Math.exp(0.6 * (random.exponential() - 0.7)) + (random.next() < 0.004 ? 90 * random.next() : 0),
    );
  const latency = latencyFigures(histogram);
  return {
    offeredPerSecond: perSecond,
    achievedPerSecond: perSecond,
    latency,
    byRoute: { 'GET /api/v1/me': latency, 'GET /api/v1/notes (search)': latency },
    refusals: latencyFigures(createHistogram()),
    failed: 0,
    statuses: { 200: perSecond * seconds },
    wrong: 0,
    wrongSamples: [],
    inFlightMax: 14,
    inFlightPerSecond: [],
    lateStartP99Ms: 1.2,
    dropped: 0,
    generatorElu: 0.22,
    perSecond: Array.from({ length: seconds }, () => Math.round(perSecond * (0.94 + 0.1 * random.next()))),
  };
}
