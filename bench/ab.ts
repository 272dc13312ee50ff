/**
 * `npm run bench:ab -- <git ref> [--only=<steps>] [--pairs=10] [--seconds=5] [--rate=150]`: is what is checked out here
 * slower or faster than that version? Both run side by side, each part in a nano of its own, and are asked the same
 * seeded requests in turn, A B B A: what else the machine does meets both alike. Ratios are judged, never times.
 */
import { parseArgs } from 'node:util';
import { type Side, startSide } from './ab/start-side.ts';
import { estimate, PAIRS_MIN } from './ab/statistics.ts';
import { checkOut, type Worktree } from './ab/worktree.ts';
import { OFFICE_DAY, STEPS } from './load/mixes.ts';
import { startLoad } from './load/start-load.ts';
import { failedOf } from './scenarios/scenario.ts';

/** Less is better, in each. */
interface Run {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly 'CPU s per 1,000': number;
}
const FIGURES = ['p50', 'p95', 'p99', 'CPU s per 1,000'] as const satisfies (keyof Run)[];
const PAIRS_MAX = 200;
const SECONDS_MAX = 600;
const PER_SECOND_MAX = 5_000;

const options = readOptions();
let interrupted = false;
process.once('SIGINT', () => {
  interrupted = true;
  console.log('stops after this run');
});

console.log(`A: ${options.ref}; B: what is checked out here`);
const worktree = checkedOut();
const sides: Side[] = [];
try {
  sides.push(await startSide(worktree.root));
  sides.push(await startSide(`${import.meta.dirname}/..`));
  const [a, b] = sides as [Side, Side];
  for (const fault of [...a.faults, ...b.faults]) console.log(`void as proof: ${fault}`);
  await measure(a, 0);
  await measure(b, 0);

  const ratios: Record<keyof Run, number>[] = [];
  console.log(`\npair  order  ${FIGURES.map((name) => name.padStart(16)).join('')}   (B / A)`);
  for (let pair = 1; pair <= options.pairs && !interrupted; pair++) {
    const inOrder = pair % 2 === 1 ? [a, b] : [b, a];
    const runs = new Map<Side, Run>();
    for (const side of inOrder) runs.set(side, await measure(side, pair));
    const [before, after] = [runs.get(a) as Run, runs.get(b) as Run];
    const ratio = Object.fromEntries(
      FIGURES.map((name) => [name, after[name] / before[name]]),
    ) as (typeof ratios)[number];
    ratios.push(ratio);
    const cells = FIGURES.map((name) => ratio[name].toFixed(3).padStart(16)).join('');
    console.log(`${String(pair).padStart(4)}  ${inOrder[0] === a ? 'A B' : 'B A'}    ${cells}`);
  }

  if (ratios.length > 0) {
    if (ratios.length < PAIRS_MIN) console.log(`\nfewer than ${PAIRS_MIN} pairs show no difference, whatever they are`);
    console.log('\n                 median   99 % interval    B is');
    for (const name of FIGURES) {
      const { median, low, high, verdict } = estimate(ratios.map((ratio) => ratio[name]));
      const interval = `${low.toFixed(3)} to ${high.toFixed(3)}`;
      console.log(`${name.padEnd(15)}  ${median.toFixed(3)}    ${interval}   ${verdict}`);
    }
  }
} finally {
  for (const side of sides) await side.stop();
  worktree.remove();
}

function checkedOut(): Worktree {
  try {
    return checkOut(options.ref);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}

/** The same seed asks both sides the same. @throws when an answer was not right: times of wrong answers are no times */
async function measure({ url, accounts, cpuSeconds }: Side, seed: number): Promise<Run> {
  const { seconds, rate, mix } = options;
  const before = await cpuSeconds();
  const phases = [{ seconds, perSecond: rate }];
  const plan = { kind: 'open-loop', url, accounts, arrivals: 'poisson', seed, phases, mix } as const;
  const figures = await startLoad(plan).figures;
  const used = (await cpuSeconds()) - before;
  const { refused, failed, wrong } = failedOf(figures);
  if (refused + failed + wrong > 0)
    throw new Error(`${refused} refused, ${failed} failed, ${wrong} wrong at ${url}: ${figures.wrongSamples[0] ?? ''}`);
  const { p50Ms: p50, p95Ms: p95, p99Ms: p99, count } = figures.latency;
  return { p50, p95, p99, 'CPU s per 1,000': (used / count) * 1_000 };
}

function readOptions() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        only: { type: 'string' },
        pairs: { type: 'string', default: '10' },
        seconds: { type: 'string', default: '5' },
        rate: { type: 'string', default: '150' },
      },
    });
    const [ref, ...more] = positionals;
    if (ref === undefined || more.length > 0) throw new Error('One git ref, please.');
    return {
      ref,
      mix: values.only === undefined ? OFFICE_DAY : mixOf(values.only.split(',')),
      pairs: positive('pairs', values.pairs, PAIRS_MAX),
      seconds: positive('seconds', values.seconds, SECONDS_MAX),
      rate: positive('rate', values.rate, PER_SECOND_MAX),
    };
  } catch (error) {
    console.error((error as Error).message);
    console.error(
      `npm run bench:ab -- <git ref> [--pairs=10] [--seconds=5] [--rate=150] [--only='GET /api/employees,GET /api/summary']`,
    );
    process.exit(64);
  }
}

/** Of a day's mix only these, each as often beside the others as there. */
function mixOf(names: readonly string[]): Record<string, number> {
  const unknown = names.filter((name) => STEPS[name] === undefined);
  if (unknown.length > 0)
    throw new Error(`There is no ${unknown.join(', ')}. There are:\n  ${Object.keys(STEPS).join('\n  ')}`);
  return Object.fromEntries(names.map((name) => [name, OFFICE_DAY[name] ?? 1]));
}

function positive(name: string, text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= most) return value;
  throw new Error(`--${name} is a whole number from 1 to ${most}, not ${JSON.stringify(text)}.`);
}
