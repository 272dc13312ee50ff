import { voidReasons } from '../load/calibration.ts';
import { checkInTokens } from '../load/check-in-tokens.ts';
import { checkHistory, readHistory } from '../load/history.ts';
import { OFFICE_DAY, RARE, routesOf } from '../load/mixes.ts';
import { startLoad } from '../load/start-load.ts';
import { failedOf, round, type Scenario, unmet } from './scenario.ts';

const PER_SECOND = 40;
const RARE_PER_SECOND = 2; // enough that each of the rare ones comes up in the shortest profile
const PEOPLE = 40;
const SECONDS = { ci: 20, full: 120 };
const P99_MS_MAX = 1_000;

/** A normal day over every route, with people in the chat: every answer is checked, every acknowledged write looked for. */
export const baseline: Scenario = {
  name: 'baseline',
  promise: 'every-route-loaded',
  line: `${PER_SECOND} requests a second over every route beside ${PEOPLE} people in the chat: no answer wrong, none failed, p99 under ${P99_MS_MAX} ms`,

  async run({ layout, accounts, calibration, profile, historyFile, onSample }) {
    const seconds = SECONDS[profile];
    const { api, chat, databaseUrl, secretKey } = layout.addresses;
    const open = { kind: 'open-loop', url: api, arrivals: 'poisson', accounts } as const;
    const day = startLoad(
      {
        ...open,
        seed: 1,
        phases: [{ seconds, perSecond: PER_SECOND }],
        mix: OFFICE_DAY,
        warmUpSeconds: 3,
        historyFile,
      },
      onSample,
    );
    const rare = startLoad({
      ...open,
      seed: 2,
      phases: [{ seconds, perSecond: RARE_PER_SECOND }],
      mix: RARE,
      historyFile: `${historyFile}.rare`,
    });
    const people = startLoad({
      kind: 'sockets',
      url: chat,
      tokens: await checkInTokens(databaseUrl, secretKey, { count: PEOPLE }),
      connectSeconds: seconds / 4,
      mode: 'steady',
      pace: { kind: 'think', minMs: 200, maxMs: 2_000 },
      seconds,
      seed: 3,
      historyFile: `${historyFile}.chat`,
    });
    const loads = { day: await day.figures, rare: await rare.figures, chat: await people.figures };

    const lost = await lostOf(databaseUrl, [historyFile, `${historyFile}.rare`, `${historyFile}.chat`]);
    const faults = Object.values(loads).map(failedOf);
    const sum = (field: 'refused' | 'failed' | 'wrong') => faults.reduce((total, fault) => total + fault[field], 0);
    const invalid = voidReasons(loads.day, calibration);
    return {
      met: sum('wrong') + sum('failed') + sum('refused') + lost === 0 && loads.day.latency.p99Ms < P99_MS_MAX,
      void: invalid.length > 0,
      reasons: [
        ...invalid,
        ...unmet({
          [`no wrong answers (${sum('wrong')}: ${loads.day.wrongSamples[0] ?? loads.rare.wrongSamples[0] ?? loads.chat.wrongSamples[0] ?? ''})`]:
            sum('wrong') === 0,
          [`nothing failed (${sum('failed')})`]: sum('failed') === 0,
          [`nothing refused (${sum('refused')})`]: sum('refused') === 0,
          [`nothing lost (${lost})`]: lost === 0,
          [`p99 ${round(loads.day.latency.p99Ms)} ms under ${P99_MS_MAX} ms`]: loads.day.latency.p99Ms < P99_MS_MAX,
        }),
      ],
      figures: {
        requests: loads.day.latency.count,
        p50Ms: round(loads.day.latency.p50Ms),
        p99Ms: round(loads.day.latency.p99Ms),
        ackP99Ms: round(loads.chat.byRoute['socket answer']?.p99Ms ?? 0),
        wrong: sum('wrong'),
        lost,
      },
      loads,
      covers: [...routesOf(loads.day.byRoute), ...routesOf(loads.rare.byRoute), ...routesOf(loads.chat.byRoute)],
    };
  },
};

/** Acknowledged writes that the database does not hold, or not as acknowledged. */
export async function lostOf(databaseUrl: string, files: readonly string[]): Promise<number> {
  let lost = 0;
  for (const file of files) {
    const found = await checkHistory(databaseUrl, readHistory(file));
    lost += found.lost + found.duplicated + found.wrongSeq + found.withGaps;
  }
  return lost;
}
