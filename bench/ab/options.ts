import { parseArgs } from 'node:util';
import { OFFICE_DAY, STEPS } from '../load/mixes.ts';

export interface AbOptions {
  /** The earlier version, as git knows it. */
  readonly ref: string;
  readonly mix: Readonly<Record<string, number>>;
  /** Together, over all starts. */
  readonly blocks: number;
  readonly starts: number;
  /** Of one run, without its warm-up. */
  readonly seconds: number;
  /** Requests a second. */
  readonly rate: number;
}

export const USAGE = `npm run bench:ab -- <git ref> [--blocks=10] [--starts=2] [--seconds=5] [--rate=150] [--only='GET /api/employees,GET /api/summary']`;

const BLOCKS_MAX = 200;
const STARTS_MAX = 20;
const SECONDS_MAX = 600;
const PER_SECOND_MAX = 5_000;

/** @throws in words for whoever typed it */
export function readAbOptions(args: readonly string[]): AbOptions {
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
    mix: values.only === undefined ? OFFICE_DAY : mixOf(values.only.split(',')),
    blocks: positive('blocks', values.blocks, BLOCKS_MAX),
    starts: positive('starts', values.starts, STARTS_MAX),
    seconds: positive('seconds', values.seconds, SECONDS_MAX),
    rate: positive('rate', values.rate, PER_SECOND_MAX),
  };
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
