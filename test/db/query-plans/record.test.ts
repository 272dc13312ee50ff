import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EVERY_ORGANISATION } from '../../../src/db/tenant-isolation.ts';
import { insertOrganisation, me, userByEmail } from '../../../src/modules/accounts/queries.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { type RecordedStatement, recording, runningTestFile } from './recording.ts';

let on: TestDatabase;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());

test('what the product sends is recorded once, with its function, its line and its role', async () => {
  const given = { organisation: 'Recorded', name: 'Mara', email: 'mara@example.test', passwordHash: 'none' };
  const { value } = await on.database.write(EVERY_ORGANISATION, (db) => insertOrganisation(db, given));
  const orgId = value.organisation.id;
  await me(on.database.primary(orgId), orgId, value.user.id);
  await me(on.database.primary(orgId), orgId, value.user.id);
  await userByEmail(on.database.primary(EVERY_ORGANISATION), 'nobody@example.test');

  const asked = ofThisFile().filter(({ sql }) => /from "users".*"users"."id" = /.test(sql));
  expect(asked).toEqual([
    {
      sql: expect.stringContaining('inner join "organisations"'),
      role: 'tenant',
      site: {
        name: 'src/modules/accounts/queries.ts me',
        line: expect.stringMatching(/^src\/modules\/accounts\/queries\.ts:\d+$/),
      },
    },
  ]);
  expect(ofThisFile().find(({ sql }) => /^select .*password_hash/.test(sql))).toMatchObject({
    role: 'system',
    site: { name: 'src/modules/accounts/queries.ts userByEmail' },
  });
});

test('what a test sends itself is not, also through the product’s own transaction', async () => {
  const added = on.db.insertInto('organisations').values({ name: 'Own' }).returning('created_at');
  await added.executeTakeFirstOrThrow();
  await on.database.write(1, (db) => sql`select 'sent by a test'`.execute(db));
  expect(ofThisFile().filter(({ sql }) => /sent by a test|returning "created_at"/.test(sql))).toEqual([]);
});

function ofThisFile(): readonly RecordedStatement[] {
  return recording(runningTestFile()).statements;
}
