import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';

/** A deadlock is an error like any other: the caller gets it, and the payment is lost. */
export async function pay(db: Db, from: number): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    const { rows } = await sql<{ to: number }>`
      update accounts set balance = balance - 1, payments = payments + 1
      where id = ${from} returning pays_into as to`.execute(transaction);
    await sql`update accounts set balance = balance + 1 where id = ${rows[0]?.to}`.execute(transaction);
  });
}
