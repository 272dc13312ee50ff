import { lastSecond } from '../layout/memory-samples.ts';
import { registerCustomer } from '../load/accounts.ts';
import { invite } from '../load/invite.ts';
import { LAUNCHES, OFFICE_DAY, routesOf } from '../load/mixes.ts';
import { startLoad } from '../load/start-load.ts';
import { failedOf, round, type Scenario, unmet } from './scenario.ts';

const PER_SECOND = 60;
const LAUNCHES_PER_SECOND = 0.5;
const SMALL_TEAM = 10;
/** Every process must work: the heap of one that idles creeps up for minutes, until its first collection. */
const CHATTING = { people: 20, questions: 8, thinkMs: { minMs: 500, maxMs: 4_000 } };
/** The heap of a young process grows to its working size first, whatever ran before. */
const WARM_UP_SECONDS = 6;
const SECONDS = { ci: 20, full: 900 };
const MB = 1024 * 1024;
/** In a short soak a slope is mostly warming up: only the full profile judges it. */
const GROWTH_MB_PER_HOUR_MAX = 20;
/** From the first to the last seconds of any soak. Far above the tide of a heap; 60 KB kept of each request reach it. */
const GROWTH_MB_MAX = 64;
const ENDS_SAMPLES = 4;

/** A steady load for a long time: memory does not grow. The slope is Theil and Sen's: the median of all pairwise slopes. */
export const soak: Scenario = {
  name: 'soak',
  promise: 'fits-nano',
  line: `memory of api, mailer and chat does not grow over a soak (under ${GROWTH_MB_MAX} MB in all; in the full profile under ${GROWTH_MB_PER_HOUR_MAX} MB an hour)`,

  async run({ layout, accounts, profile, onSample }) {
    const { api, chat } = layout.addresses;
    const seconds = SECONDS[profile];
    const all = WARM_UP_SECONDS + seconds;
    const small = await registerCustomer(api, SMALL_TEAM);
    const tokens = await invite(layout.addresses, { people: peopleFor(all), questions: CHATTING.questions });
    const from = WARM_UP_SECONDS + seconds / 3;
    const begun = lastSecond(layout.memorySamples());
    const open = { kind: 'open-loop', url: api, arrivals: 'poisson', seed: 19 } as const;
    const day = startLoad(
      { ...open, phases: [{ seconds: all, perSecond: PER_SECOND }], mix: OFFICE_DAY, accounts },
      onSample,
    );
    const launching = startLoad({
      ...open,
      phases: [{ seconds: all, perSecond: LAUNCHES_PER_SECOND }],
      mix: LAUNCHES,
      accounts: [small],
    });
    const chatting = startLoad({
      kind: 'sockets',
      url: chat,
      tokens,
      atOnce: CHATTING.people,
      connectSeconds: 1,
      mode: 'steady',
      pace: { kind: 'think', ...CHATTING.thinkMs },
      seconds: all - 1,
      seed: 19,
    });
    const loads = { day: await day.figures, launches: await launching.figures, chat: await chatting.figures };
    const samples = Object.entries(layout.memorySamples()).filter(([box]) => PROCESSES.has(box));
    const grown = samples.map(([box, list]) => ({
      box,
      mb: round(growth(list.filter(([at]) => at > begun + WARM_UP_SECONDS)) / MB),
    }));
    const slopes = Object.fromEntries(
      samples.map(([box, list]) => [
        `${box}MbPerHour`,
        round((slope(list.filter(([at]) => at > begun + from)) * 3600) / MB),
      ]),
    );
    const faults = Object.values(loads).map(failedOf);
    const sum = (field: 'failed' | 'wrong' | 'refused') => faults.reduce((total, fault) => total + fault[field], 0);
    const [failed, wrong, refused] = [sum('failed'), sum('wrong'), sum('refused')];
    const steepest = Math.max(...Object.values(slopes));
    const judged = profile === 'full';
    return {
      met:
        failed + wrong + refused === 0 &&
        grown.every(({ mb }) => mb < GROWTH_MB_MAX) &&
        (!judged || steepest < GROWTH_MB_PER_HOUR_MAX),
      reasons: [
        ...grown
          .filter(({ mb }) => mb >= GROWTH_MB_MAX)
          .map(({ box, mb }) => `memory of ${box} grew by ${mb} MB in ${seconds} s, under ${GROWTH_MB_MAX}`),
        ...unmet({
          [`nothing failed (${failed}), wrong (${wrong}), refused (${refused})`]: failed + wrong + refused === 0,
          [`steepest growth ${steepest} MB an hour, under ${GROWTH_MB_PER_HOUR_MAX}`]:
            !judged || steepest < GROWTH_MB_PER_HOUR_MAX,
        }),
      ],
      figures: {
        seconds,
        ...Object.fromEntries(grown.map(({ box, mb }) => [`${box}GrownMb`, mb])),
        leaking: grown.filter(({ mb }) => mb >= GROWTH_MB_MAX).length,
        ...slopes,
      },
      loads,
      covers: Object.values(loads).flatMap(({ byRoute }) => routesOf(byRoute)),
    };
  },
};

/** More than can come to an end in so many seconds. */
function peopleFor(seconds: number): number {
  const usualSeconds = (CHATTING.questions * (CHATTING.thinkMs.minMs + CHATTING.thinkMs.maxMs)) / 2 / 1000;
  return Math.ceil(CHATTING.people * (1 + (1.2 * seconds) / usualSeconds));
}

const PROCESSES = new Set(['api', 'mailer', 'chat', 'nano']);

/** Bytes between the first and the last few samples, each by their median: one tide of the heap is no growth. */
export function growth(samples: readonly (readonly [number, number])[]): number {
  const middle = (part: typeof samples) =>
    part.map(([, bytes]) => bytes).toSorted((a, b) => a - b)[Math.floor(part.length / 2)] ?? 0;
  return middle(samples.slice(-ENDS_SAMPLES)) - middle(samples.slice(0, ENDS_SAMPLES));
}

/** Bytes per second; 0 for fewer than two samples. */
export function slope(samples: readonly (readonly [number, number])[]): number {
  const slopes: number[] = [];
  for (const [index, [at, bytes]] of samples.entries())
    for (const [laterAt, laterBytes] of samples.slice(index + 1)) slopes.push((laterBytes - bytes) / (laterAt - at));
  slopes.sort((a, b) => a - b);
  return slopes[Math.floor(slopes.length / 2)] ?? 0;
}
