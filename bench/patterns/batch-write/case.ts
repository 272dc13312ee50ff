import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';
import { runSql } from '../scratch-database.ts';

export type Item = { readonly sku: string; readonly name: string; readonly price: number };
type Twin = { writeItems(db: Db, items: readonly Item[]): Promise<void> };
type Input = { readonly items: number };

const ITEMS = 20_000;
/** With the server on the same machine, where a round trip costs least. Over a network naive waits for one per row. */
const SLOWER_FACTOR = 3;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/db/batch-write.ts',
  withoutIt: 'an import waits for one round trip per row',
  asks: `Write ${ITEMS} items: half of them are new, half have a new name.`,
  breaks: `it takes more than ${SLOWER_FACTOR} times as long, even with the server on the same machine`,
  holds: 'every item is written',
  headline: ({ written = 0, writeSeconds = 0 }) =>
    `${written.toLocaleString('en')} rows in ${writeSeconds.toFixed(1)} seconds`,
  small: { items: 1_200 },
  full: { items: ITEMS },

  arrange: ({ databaseUrl }, { items }) =>
    runSql(
      databaseUrl,
      `insert into items select 'sku-' || n, 'Item ' || n, n from generate_series(1, ${items / 2}) n; analyze items`,
    ),

  async perform({ writeItems }, { items }, { databaseUrl }) {
    const { unscoped: db, close } = openBenchPool(databaseUrl, 1);
    const given = renamedItems(items);
    const begun = performance.now();
    await writeItems(db, given);
    const writeSeconds = (performance.now() - begun) / 1000;
    const { rows } = await sql<Item>`select sku, name, price from items order by sku`.execute(db);
    await close();
    const digest = createHash('sha256').update(JSON.stringify(rows)).digest('hex');
    return { digest, figures: { written: rows.filter(({ name }) => name.startsWith('Renamed')).length, writeSeconds } };
  },

  isBroken: (naive, hardened) =>
    naive.ending === 'too slow' ||
    (naive.figures.writeSeconds ?? 0) > SLOWER_FACTOR * (hardened.figures.writeSeconds ?? Number.POSITIVE_INFINITY),
  isHeld: (hardened) => hardened.ending === 'finished' && hardened.figures.written === ITEMS,
};

/** A prime that divides no count used here, so that multiples of it visit every number once. */
const STRIDE = 7_919;

/** As files have them: in no order that the database could use. */
function renamedItems(count: number): Item[] {
  return Array.from({ length: count }, (_, index) => {
    const n = 1 + ((index * STRIDE) % count);
    return { sku: `sku-${n}`, name: `Renamed item ${n}`, price: n };
  });
}
