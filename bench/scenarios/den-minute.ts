import { voidReasons } from '../load/calibration.ts';
import { routesOf } from '../load/mixes.ts';
import { startLoad } from '../load/start-load.ts';
import type { LoadFigures } from '../types.ts';
import { lostOf } from './baseline.ts';
import { failedOf, round, type Scenario, type ScenarioContext, unmet } from './scenario.ts';

const PEAK_PER_MINUTE = 16_000;
const PEAK_PER_SECOND = PEAK_PER_MINUTE / 60;
const AVERAGE_PER_SECOND = 25;
const RISE_SECONDS = 3;
const P99_MS_MAX = 1_000;
const MULTIPLES = [1.5, 2, 3, 4, 6, 10];
const PEAK_SECONDS = { ci: 8, full: 60 };

/** What a visitor of the Dragons' Den evening does: mostly reading, one in ten a committed write. */
const EVENING: Readonly<Record<string, number>> = {
  'GET /api/summary': 30,
  'GET /api/mood': 15,
  'GET /api/campaigns': 15,
  'GET /api/employees': 15,
  'GET /api/conversations': 15,
  'POST /api/campaigns': 6,
  'POST /api/imports': 4,
};

/** From a quiet evening to 16,000 transactions a minute within seconds, and back; then how many times that. */
export const denMinute: Scenario = {
  name: 'den-minute',
  promise: 'den-minute',
  line: `from ${AVERAGE_PER_SECOND} a second to ${PEAK_PER_MINUTE} transactions a minute within ${RISE_SECONDS} s and back: nothing fails, p99 under ${P99_MS_MAX} ms`,

  async run(context) {
    const loads: Record<string, LoadFigures> = { 'once the peak': await evening(context, 1) };
    const first = loads['once the peak'] as LoadFigures;
    let multiple = isHeld(first) ? 1 : 0;
    for (const times of multiple === 0 ? [] : MULTIPLES) {
      const figures = await evening(context, times);
      loads[`${times} times the peak`] = figures;
      if (!isHeld(figures)) break;
      multiple = times;
    }
    const lost = await lostOf(context.layout.addresses.databaseUrl, [context.historyFile]);
    const { refused, failed, wrong } = failedOf(first);
    const invalid = voidReasons(first, context.calibration);
    return {
      met: multiple >= 1 && lost === 0,
      void: invalid.length > 0,
      reasons: [
        ...invalid,
        ...unmet({
          [`nothing wrong (${wrong}), failed (${failed}), refused (${refused}), lost (${lost})`]:
            wrong + failed + refused + lost === 0,
          [`p99 ${round(first.latency.p99Ms)} ms under ${P99_MS_MAX} ms`]: first.latency.p99Ms < P99_MS_MAX,
        }),
      ],
      figures: {
        peakPerMinute: PEAK_PER_MINUTE,
        p99Ms: round(first.latency.p99Ms),
        timesHeld: multiple,
        perMinuteHeld: multiple * PEAK_PER_MINUTE,
        lost,
      },
      loads,
      covers: routesOf(first.byRoute),
    };
  },
};

function evening(
  { layout, accounts, profile, historyFile, onSample }: ScenarioContext,
  times: number,
): Promise<LoadFigures> {
  const peak = PEAK_PER_SECOND * times;
  const seconds = times === 1 ? PEAK_SECONDS[profile] : PEAK_SECONDS[profile] / 2;
  const phases = [
    { seconds: 2, perSecond: AVERAGE_PER_SECOND },
    { seconds: RISE_SECONDS, perSecond: peak, from: AVERAGE_PER_SECOND },
    { seconds, perSecond: peak },
    { seconds: 2, perSecond: AVERAGE_PER_SECOND },
  ];
  const load = startLoad(
    {
      kind: 'open-loop',
      url: layout.addresses.api,
      arrivals: 'poisson',
      seed: Math.round(times * 10),
      phases,
      mix: EVENING,
      accounts,
      historyFile,
    },
    onSample,
  );
  return load.figures;
}

function isHeld(figures: LoadFigures): boolean {
  const { refused, failed, wrong } = failedOf(figures);
  return refused + failed + wrong + figures.dropped === 0 && figures.latency.p99Ms < P99_MS_MAX;
}
