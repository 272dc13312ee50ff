import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import type { Page } from '../../../src/db/keyset-pagination.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';
import { runSql } from '../scratch-database.ts';

export type Item = { readonly id: number; readonly name: string };
type Twin = { itemsPage(db: Db, limit: number, cursor: string | undefined): Promise<Page<Item>> };
type Input = { readonly items: number; readonly deletesMeanwhile: boolean };

const ITEMS = 200_000;
const PAGE_ROWS = 200;
const PAGES_BETWEEN_DELETES = 10;
const DELETED_ROWS = 5;
/** Naive reads the predecessors of every page again: the whole walk then takes many times as long. */
const SLOWER_FACTOR = 5;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/db/keyset-pagination.ts',
  withoutIt: 'deep pages are slow, and rows are skipped or shown twice',
  asks: `Read all of ${ITEMS} items, ${PAGE_ROWS} a page, while others delete from the beginning of the list.`,
  breaks: `items that exist all the time are missed, or the walk takes more than ${SLOWER_FACTOR} times as long`,
  holds: 'every item that exists all the time is seen exactly once',
  headline: ({ missed = 0 }) => `${missed} rows skipped`,
  small: { items: 2_000, deletesMeanwhile: false },
  full: { items: ITEMS, deletesMeanwhile: true },

  arrange: ({ databaseUrl }, { items }) =>
    runSql(
      databaseUrl,
      `insert into items (name) select 'Item ' || n from generate_series(1, ${items}) n; analyze items`,
    ),

  async perform({ itemsPage }, { deletesMeanwhile }, { databaseUrl }) {
    const { unscoped: db, close } = openBenchPool(databaseUrl, 1);
    const hash = createHash('sha256');
    const seen = new Set<number>();
    let [twice, pages] = [0, 0];
    const begun = performance.now();
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page: Page<Item> = await itemsPage(db, PAGE_ROWS, cursor);
      for (const { id, name } of page.items) {
        if (seen.has(id)) twice++;
        seen.add(id);
        hash.update(name);
      }
      cursor = page.nextCursor;
      if (deletesMeanwhile && ++pages % PAGES_BETWEEN_DELETES === 0) await deleteFirst(db);
    }
    const walkSeconds = (performance.now() - begun) / 1000;
    const { rows } = await sql<{ id: number }>`select id from items`.execute(db);
    const missed = rows.filter(({ id }) => !seen.has(id)).length;
    await close();
    return { digest: hash.digest('hex'), figures: { seen: seen.size, missed, twice, walkSeconds } };
  },

  isBroken: (naive, hardened) =>
    naive.ending === 'too slow' ||
    (naive.figures.missed ?? 0) > 0 ||
    (naive.figures.walkSeconds ?? 0) > SLOWER_FACTOR * (hardened.figures.walkSeconds ?? Number.POSITIVE_INFINITY),
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.missed === 0 && figures.twice === 0,
};

/** Rows that the walk passed long ago: everything behind them moves up. */
async function deleteFirst(db: Db): Promise<void> {
  await sql`delete from items where id in (select id from items order by id limit ${DELETED_ROWS})`.execute(db);
}
