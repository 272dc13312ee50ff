import type { Db } from '../../../src/db/database.ts';
import { type Person, upsertOne } from './case.ts';

/** One statement, one round trip, one plan for each row. A transaction around all is the kindest that can be done for it. */
export async function writePeople(db: Db, orgId: number, people: readonly Person[]): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    for (const person of people) await upsertOne(transaction, orgId, person);
  });
}
