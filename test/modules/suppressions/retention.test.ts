import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RETENTION_DAYS } from '../../../src/limits.ts';
import { retention } from '../../../src/modules/suppressions/retention.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';

let on: TestDatabase;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());

test('a suppression is forgotten long after it was lifted, and never while it is in force', async () => {
  const orgId = await addOrganisation(on.db);
  await sql`
    insert into suppressions (org_id, address, reason, detail, created_at, lifted_at, lifted_by)
    select ${orgId}::bigint, name || '@x.test', 'bounce', 'gone', now() - interval '3 years',
      case when days is not null then now() - make_interval(days => days) end, case when days is not null then 'Ada' end
    from (values ('force', null::int), ('lately', ${RETENTION_DAYS - 1}::int), ('long-ago', ${RETENTION_DAYS + 1}::int)) as given (name, days)`.execute(
    on.db,
  );
  expect(await retention.suppressions.forget(on.database, new AbortController().signal)).toBe(1);
  const left = await on.db
    .selectFrom('suppressions')
    .where('org_id', '=', orgId)
    .select('address')
    .orderBy('id')
    .execute();
  expect(left.map(({ address }) => address)).toEqual(['force@x.test', 'lately@x.test']);
});
