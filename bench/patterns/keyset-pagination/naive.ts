import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import type { Page } from '../../../src/db/keyset-pagination.ts';
import type { Item } from './case.ts';

/** Counts from the start: page n reads and discards the n pages before it. */
export async function itemsPage(db: Db, limit: number, cursor: string | undefined): Promise<Page<Item>> {
  const offset = Number(cursor ?? 0);
  const { rows } = await sql<Item>`
    select id, name from items
    order by id limit ${limit + 1} offset ${offset}`.execute(db);
  return { items: rows.slice(0, limit), nextCursor: rows.length > limit ? String(offset + limit) : null };
}
