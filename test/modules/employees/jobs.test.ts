import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { failAbandonedImports } from '../../../src/modules/employees/employees.ts';
import { ABANDONED_IMPORT_SECONDS } from '../../../src/modules/employees/limits.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';

let on: TestDatabase;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());

test('an import whose process died is failed, one that goes on is not', async () => {
  const orgId = await addOrganisation(on.db);
  const silentFor = [ABANDONED_IMPORT_SECONDS + 1, ABANDONED_IMPORT_SECONDS - 30];
  const imports = await on.db
    .insertInto('imports')
    .values(
      silentFor.map((seconds) => ({
        org_id: orgId,
        file_name: 'people.csv',
        status: 'running' as const,
        touched_at: sql<string>`now() - make_interval(secs => ${seconds}::int)`,
      })),
    )
    .returning('id')
    .execute();
  await failAbandonedImports(on.database);
  const rows = await on.db.selectFrom('imports').select(['id', 'status', 'error']).orderBy('id').execute();
  expect(rows).toEqual([
    { id: imports[0]?.id, status: 'failed', error: expect.stringContaining('was interrupted') },
    { id: imports[1]?.id, status: 'running', error: null },
  ]);
});
