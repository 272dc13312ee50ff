import type { Db } from '../../../src/db/database.ts';
import { IMPORT_BATCH_ROWS } from '../../../src/modules/employees/limits.ts';
import { upsertEmployees } from '../../../src/modules/employees/queries.ts';
import type { Person } from './case.ts';

/** One statement for hundreds of rows, whose text does not depend on how many they are. */
export async function writePeople(db: Db, orgId: number, people: readonly Person[]): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    for (let from = 0; from < people.length; from += IMPORT_BATCH_ROWS)
      await upsertEmployees(transaction, orgId, people.slice(from, from + IMPORT_BATCH_ROWS));
  });
}
