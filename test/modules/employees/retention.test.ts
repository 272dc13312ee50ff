import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RETENTION_DAYS, RETENTION_STEP_ROWS } from '../../../src/limits.ts';
import { retention } from '../../../src/modules/employees/retention.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';

let on: TestDatabase;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());

test('imports of long ago are deleted in every organisation, also those that never began, and younger ones stay', async () => {
  const [large, small] = [await addOrganisation(on.db), await addOrganisation(on.db)];
  await addImports(large, RETENTION_STEP_ROWS + 5, 'done', `${RETENTION_DAYS} days 1 minute`);
  await addImports(small, 3, 'waiting', `${RETENTION_DAYS} days 1 minute`);
  await addImports(small, 4, 'done', `${RETENTION_DAYS - 1} days`);
  const forget = () => retention.imports.forget(on.database, new AbortController().signal);
  expect(await forget()).toBe(RETENTION_STEP_ROWS + 8);
  expect(await on.db.selectFrom('imports').select('org_id').execute()).toEqual(Array(4).fill({ org_id: small }));
  expect(await forget()).toBe(0);
});

async function addImports(orgId: number, count: number, status: string, age: string): Promise<void> {
  await sql`
    insert into imports (org_id, file_name, status, created_at)
    select ${orgId}::bigint, 'people.csv', ${status}, now() - ${age}::interval from generate_series(1, ${count}::int)`.execute(
    on.db,
  );
}
