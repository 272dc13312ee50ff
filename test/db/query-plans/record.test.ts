import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EVERY_ORGANISATION } from '../../../src/db/tenant-isolation.ts';
import { userByEmail } from '../../../src/modules/accounts/queries.ts';
import { addTeams } from '../../../src/modules/employees/queries.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';
import { type RecordedStatement, recording } from './recording.ts';

let on: TestDatabase;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());

test('what the product sends is recorded once, with its function, its line and its role', async () => {
  const orgId = await addOrganisation(on.db, 'Recorded');
  await on.database.write(orgId, (db) => addTeams(db, orgId, ['One']));
  await on.database.write(orgId, (db) => addTeams(db, orgId, ['Two']));
  await userByEmail(on.database.primary(EVERY_ORGANISATION), 'nobody@example.test');

  const added = ofThisProcess().filter(({ sql }) => /insert into teams/.test(sql));
  expect(added).toEqual([
    {
      sql: expect.stringContaining('on conflict (org_id, name) do nothing'),
      role: 'tenant',
      site: {
        name: 'src/modules/employees/queries.ts addTeams',
        line: expect.stringMatching(/^src\/modules\/employees\/queries\.ts:\d+$/),
      },
    },
  ]);
  expect(ofThisProcess().find(({ sql }) => /password_hash/.test(sql))).toMatchObject({
    role: 'system',
    site: { name: 'src/modules/accounts/queries.ts userByEmail' },
  });
});

test('what a test sends itself is not, also through the product’s own transaction', async () => {
  const orgId = await addOrganisation(on.db, 'Own');
  await on.database.write(orgId, (db) => sql`select 'sent by a test'`.execute(db));
  expect(ofThisProcess().filter(({ sql }) => /sent by a test|insert into "organisations"/.test(sql))).toEqual([]);
});

function ofThisProcess(): RecordedStatement[] {
  return recording(process.pid).statements;
}
