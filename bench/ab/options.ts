import { parseArgs } from 'node:util';
import { countIn, namesIn } from '../arguments.ts';
import type { Mix } from '../load/plan.ts';
import type { Workload } from '../load/workload.ts';

export interface AbOptions {
  /** The earlier version, as git knows it. */
  readonly ref: string;
  readonly mix: Mix;
  /** Together, over all starts. */
  readonly blocks: number;
  readonly starts: number;
  /** Of one run, without its warm-up. */
  readonly seconds: number;
  /** Requests a second. */
  readonly rate: number;
}

export const USAGE = `npm run bench:ab -- <git ref> [--blocks=10] [--starts=2] [--seconds=5] [--rate=150] [--only='GET /api/v1/me,GET /api/v1/summary']`;

const BLOCKS_MAX = 200;
const STARTS_MAX = 20;
const SECONDS_MAX = 600;
const PER_SECOND_MAX = 5_000;

/** @throws in words for whoever typed it */
export function readAbOptions(args: readonly string[], workload: Pick<Workload, 'steps' | 'officeDay'>): AbOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      blocks: { type: 'string', default: '10' },
      starts: { type: 'string', default: '2' },
      seconds: { type: 'string', default: '5' },
      rate: { type: 'string', default: '150' },
    },
  });
  const [ref, ...more] = positionals;
  if (ref === undefined || more.length > 0) throw new Error('One git ref, please.');
  return {
    ref,
    mix: mixOf(namesIn(values.only, Object.keys(workload.steps)), workload.officeDay),
    blocks: countIn('blocks', values.blocks, BLOCKS_MAX),
    starts: countIn('starts', values.starts, STARTS_MAX),
    seconds: countIn('seconds', values.seconds, SECONDS_MAX),
    rate: countIn('rate', values.rate, PER_SECOND_MAX),
  };
}

/** Of a day's mix only these, each as often beside the others as there. */
function mixOf(names: readonly string[] | undefined, officeDay: Mix): Mix {
  return names === undefined ? officeDay : Object.fromEntries(names.map((name) => [name, officeDay[name] ?? 1]));
}
