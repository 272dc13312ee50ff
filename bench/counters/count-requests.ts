import { call } from '../call.ts';
import { median, round } from '../numbers.ts';
import { startBareServer } from './bare-server.ts';
import type { Counters } from './budgets.ts';
import type { CountContext } from './count-context.ts';
import { databaseUse, usedSince } from './database-use.ts';

const TIMES = 10; // each, after one that warms up
const PACED = 500;
const ROUNDS = 5;

export interface Target {
  readonly path: string;
  /** Default: GET. */
  readonly method?: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: object;
}

export type Targets = Readonly<Record<string, Target>>;

/**
 * Statements, rows and bytes of one request to each route: the median of several, asked one after the other. The median,
 * because every few seconds one of them also looks its session up again.
 */
export async function countRequests(context: CountContext, targets: Targets): Promise<Counters> {
  const counters: Record<string, number> = {};
  const { api } = context.addresses;
  for (const [route, target] of Object.entries(targets)) {
    await ask(context, target);
    const seen: { queries: number; rows: number; bytes: number }[] = [];
    for (let time = 0; time < TIMES; time++) {
      const before = await databaseUse(api);
      const { bytes } = await ask(context, target);
      seen.push({ ...usedSince(before, await databaseUse(api)), bytes });
    }
    for (const unit of ['queries', 'rows', 'bytes'] as const)
      counters[`${route}: ${unit}`] = Math.round(median(seen.map((one) => one[unit])));
  }
  return counters;
}

/**
 * How many times the CPU time of bare requests (bare-server.ts) the api's box takes for those that only read: both in turn,
 * so that a machine that is slower for a while is slower for both. Undefined without any.
 */
export async function cpuOfReads(
  context: CountContext,
  targets: Targets,
  cpuSeconds: () => number,
): Promise<number | undefined> {
  const reads = Object.values(targets).filter(({ method }) => method === undefined);
  if (reads.length === 0) return undefined;
  const bare = await startBareServer();
  let asked = 0;
  const cpuOfSome = async () => {
    const before = cpuSeconds();
    for (let nth = 0; nth < PACED / ROUNDS; nth++) await ask(context, reads[asked++ % reads.length] as Target);
    return cpuSeconds() - before;
  };
  await bare.cpuOf(PACED / ROUNDS); // warms up
  await cpuOfSome();
  const spent = { reads: 0, bare: 0 };
  for (let nth = 0; nth < ROUNDS; nth++) {
    spent.bare += await bare.cpuOf(PACED / ROUNDS);
    spent.reads += await cpuOfSome();
  }
  bare.close();
  return round(spent.reads / spent.bare, 2);
}

function ask({ addresses, account }: CountContext, { path, ...options }: Target) {
  return call(addresses.api, path, { ...options, token: account.token });
}
