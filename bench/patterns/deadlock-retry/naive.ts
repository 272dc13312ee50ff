import type { Db } from '../../../src/db/database.ts';
import { addOneTo } from './case.ts';

/** Locks the rows as they come, and hopes. */
export async function addOneToEach(db: Db, ids: readonly number[]): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    for (const id of ids) await addOneTo(transaction, id);
  });
}
