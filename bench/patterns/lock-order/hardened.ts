import { sql } from 'kysely';
import { givenRows } from '../../../src/db/batch-write.ts';
import type { Db } from '../../../src/db/database.ts';
import type { Delivery } from './case.ts';

/** Locks the rows in the order of their keys, as every other writer does: they wait in line, never in a circle. */
export async function addToStock(db: Db, deliveries: readonly Delivery[]): Promise<void> {
  await sql`
    insert into stock (item, units)
    select item, units from ${givenRows(deliveries, { item: 'integer', units: 'integer' })}
    on conflict (item) do update set units = stock.units + excluded.units`.execute(db);
}
