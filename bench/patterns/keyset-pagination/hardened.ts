import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import { createCursors, type IdPlace, type Page } from '../../../src/db/keyset-pagination.ts';
import type { Item } from './case.ts';

const cursors = createCursors('a secret key for the lesson, of more than 32 characters');

/** Continues after the last row seen: every page costs the same, whatever was added or deleted meanwhile. */
export async function itemsPage(db: Db, limit: number, cursor: string | undefined): Promise<Page<Item>> {
  const read = async ([afterId]: IdPlace = [0], rowsMax: number) => {
    const { rows } = await sql<Item>`
      select id, name from items where id > ${afterId}
      order by id limit ${rowsMax}`.execute(db);
    return rows;
  };
  return cursors.page('items', { limit, cursor }, read, ({ id }) => [id]);
}
