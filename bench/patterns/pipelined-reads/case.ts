import { createHash } from 'node:crypto';
import { POOL_REPLICA } from '../../../src/limits.ts';
import type { PatternCase } from '../pattern.ts';
import { runSql } from '../scratch-database.ts';
import type { Items } from './items.ts';
import { openSlowLine } from './slow-line.ts';

type Twin = { openItems(url: string, connections: number): Items };
type Input = { readonly reads: number };

const CONNECTIONS = POOL_REPLICA.api - 1;
const AT_ONCE = 32;
const ITEMS = 1_000;
const READS = 10_000;
const DELAY_MS = 1;
const SLOWER_FACTOR = 1.5;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/db/pipelined-reads.ts',
  withoutIt: 'a connection idles from its answer until the next statement has come through the network',
  asks: `${READS} reads of one row, ${AT_ONCE} at once, over ${CONNECTIONS} connections to a server that is ${DELAY_MS} ms away.`,
  breaks: `it takes more than ${SLOWER_FACTOR} times as long`,
  holds: 'every read is answered with its own row',
  headline: ({ perSecond = 0 }) => `${Math.round(perSecond).toLocaleString('en')} reads per second`,
  small: { reads: 200 },
  full: { reads: READS },

  arrange: ({ databaseUrl }) =>
    runSql(databaseUrl, `insert into items select n, 'Item ' || n from generate_series(1, ${ITEMS}) n; analyze`),

  async perform({ openItems }, { reads }, { workerDatabaseUrl }) {
    const line = await openSlowLine(workerDatabaseUrl, DELAY_MS);
    const items = openItems(line.url, CONNECTIONS);
    const begun = performance.now();
    const names = await readAll(items, reads);
    const readSeconds = (performance.now() - begun) / 1000;
    await items.close();
    await line.close();
    const right = names.filter((name, nth) => name === `Item ${idOf(nth)}`).length;
    const digest = createHash('sha256').update(JSON.stringify(names)).digest('hex');
    return { digest, figures: { reads, right, readSeconds, perSecond: reads / readSeconds } };
  },

  isBroken: (naive, hardened) =>
    naive.ending === 'too slow' ||
    (naive.figures.readSeconds ?? 0) > SLOWER_FACTOR * (hardened.figures.readSeconds ?? Number.POSITIVE_INFINITY),
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.right === figures.reads,
};

const idOf = (nth: number) => 1 + (nth % ITEMS);

/** Each of AT_ONCE readers asks for the next item as soon as it has its answer. */
async function readAll({ nameOf }: Items, reads: number): Promise<(string | undefined)[]> {
  const names: (string | undefined)[] = [];
  let next = 0;
  const reader = async () => {
    for (let nth = next++; nth < reads; nth = next++) names[nth] = await nameOf(idOf(nth));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, reader));
  return names;
}
