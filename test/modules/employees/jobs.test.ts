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

test('an import that is being written to at that moment is not failed, and not waited for', async () => {
  const orgId = await addOrganisation(on.db);
  const { id } = await on.db
    .insertInto('imports')
    .values({
      ...{ org_id: orgId, file_name: 'people.csv', status: 'running' },
      touched_at: sql<string>`now() - make_interval(secs => ${ABANDONED_IMPORT_SECONDS + 1}::int)`,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await on.db.transaction().execute(async (transaction) => {
    await transaction.updateTable('imports').set({ status: 'done' }).where('id', '=', id).execute();
    await failAbandonedImports(on.database);
  });
  expect(await on.db.selectFrom('imports').where('id', '=', id).select('status').execute()).toEqual([
    { status: 'done' },
  ]);
});
