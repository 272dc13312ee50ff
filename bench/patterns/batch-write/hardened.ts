import { sql } from 'kysely';
import { givenRows } from '../../../src/db/batch-write.ts';
import type { Db } from '../../../src/db/database.ts';
import { batches } from '../../../src/flow/batch.ts';
import type { Item } from './case.ts';

const BATCH_ROWS = 500;

/** One statement for hundreds of rows; its text is the same for any number of them. */
export async function writeItems(db: Db, items: readonly Item[]): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    for await (const batch of batches(items, BATCH_ROWS)) {
      await sql`
        insert into items (sku, name, price)
        select sku, name, price from ${givenRows(batch, { sku: 'text', name: 'text', price: 'integer' })}
        on conflict (sku) do update set name = excluded.name, price = excluded.price`.execute(transaction);
    }
  });
}
