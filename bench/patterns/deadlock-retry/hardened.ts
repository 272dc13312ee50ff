import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import { inTransaction, withRetry } from '../../../src/db/deadlock-retry.ts';

/** PostgreSQL has rolled back all of it, so all of it is run again, from its first line. */
export async function pay(db: Db, from: number, onRetry: () => void): Promise<void> {
  const attempt = (connection: Db) =>
    inTransaction(connection, async (transaction) => {
      const { rows } = await sql<{ to: number }>`
        update accounts set balance = balance - 1, payments = payments + 1
        where id = ${from} returning pays_into as to`.execute(transaction);
      await sql`update accounts set balance = balance + 1 where id = ${rows[0]?.to}`.execute(transaction);
    });
  await withRetry(() => db.connection().execute(attempt), onRetry);
}
