import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import type { Item } from './case.ts';

/** One statement and one round trip per row. */
export async function writeItems(db: Db, items: readonly Item[]): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    for (const { sku, name, price } of items) {
      await sql`
        insert into items (sku, name, price)
        values (${sku}, ${name}, ${price})
        on conflict (sku) do update set name = excluded.name, price = excluded.price`.execute(transaction);
    }
  });
}
