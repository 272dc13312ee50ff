import type { Db } from '../../../src/db/database.ts';
import { inTransaction, withRetry } from '../../../src/db/deadlock-retry.ts';
import { addOneTo } from './case.ts';

/** Everybody locks in the same order, so that nobody waits in a circle; who is given up all the same begins again. */
export async function addOneToEach(db: Db, ids: readonly number[], onRetry: () => void): Promise<void> {
  const attempt = () =>
    db.connection().execute((connection) =>
      inTransaction(connection, async (transaction) => {
        for (const id of ids.toSorted((a, b) => a - b)) await addOneTo(transaction, id);
      }),
    );
  await withRetry(attempt, onRetry);
}
