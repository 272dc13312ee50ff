import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import type { Delivery } from './case.ts';

/** Locks the rows in the order in which they happen to be given. */
export async function addToStock(db: Db, deliveries: readonly Delivery[]): Promise<void> {
  const items = deliveries.map(({ item }) => item);
  const units = deliveries.map((delivery) => delivery.units);
  await sql`
    insert into stock (item, units)
    select item, units from unnest(${items}::integer[], ${units}::integer[]) as given (item, units)
    on conflict (item) do update set units = stock.units + excluded.units`.execute(db);
}
