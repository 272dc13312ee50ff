import { PassThrough } from 'node:stream';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createSession, type DatabaseSession } from '../../../src/db/read-write-split.ts';
import { failAbandonedImports, importEmployees } from '../../../src/modules/employees/employees.ts';
import { insertImport } from '../../../src/modules/employees/import-queries.ts';
import { ABANDONED_IMPORT_SECONDS } from '../../../src/modules/employees/limits.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';
import { csvOf } from './import-api.ts';

const HEADER = 'name,email,team\n';
const ROW = 'Ada,ada@a.test,Sales\n';

let on: TestDatabase;
let orgId: number;
let session: DatabaseSession;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
beforeEach(async () => {
  orgId = await addOrganisation(on.db);
  session = createSession(on.database, orgId);
});
afterAll(() => on.close());

test('an import that waits for its rows for longer than it may be silent goes on', async () => {
  const { id, file, imported } = await begin(session, { touchEveryMs: 1 });
  await silence(id);
  await until('it has shown that it goes on', async () => !(await importOf(id)).isSilent, 10_000);
  await failAbandonedImports(on.database);
  file.end(ROW);
  await imported;
  expect(await importOf(id)).toMatchObject({ status: 'done', rows_added: 1, error: null });
});

test('an import that could not show for a moment that it goes on does so all the same', async () => {
  let failures = 0;
  let isAway = false;
  const db: DatabaseSession = {
    ...session,
    async write(work) {
      if (!isAway) return session.write(work);
      failures++;
      throw new Error('The database is away');
    },
  };
  const { id, file, imported } = await begin(db, { touchEveryMs: 1 });
  isAway = true;
  await until('it has tried again', () => failures > 1, 10_000);
  isAway = false;
  file.end(ROW);
  await imported;
  expect(await importOf(id)).toMatchObject({ status: 'done', rows_added: 1, error: null });
});

const ROWS = 4_000; // whole batches, and more than is read before the first row

test.each([
  ['rows', rowsOf(1, () => 'Late')],
  ['only the end', ''],
])('an import that was given up stays failed when %s of its file comes after all', async (_, rest) => {
  const { id, file, imported } = await begin(session);
  file.write(`${rowsOf(ROWS)},,\n`); // the parser keeps the last line until it sees the next
  await until('its rows are stored', async () => (await importOf(id)).rows_read === ROWS, 10_000);
  await silence(id);
  await failAbandonedImports(on.database);
  const givenUp = await importOf(id);
  file.end(rest);
  await expect(imported).rejects.toMatchObject({ code: 'conflict', message: givenUp.error });
  expect(await importOf(id)).toEqual(givenUp);
  expect(givenUp).toMatchObject({ status: 'failed', rows_added: ROWS });
  const people = await on.db.selectFrom('employees').where('org_id', '=', orgId).select('name').execute();
  expect(people).toHaveLength(ROWS);
  expect(people).not.toContainEqual({ name: 'Late' });
});

function rowsOf(...given: Parameters<typeof csvOf>): string {
  return csvOf(...given).slice(HEADER.length);
}

/** An import that has got its header line. */
async function begin(db: DatabaseSession, timing?: { touchEveryMs: number }) {
  const { id } = await session.write((transaction) => insertImport(transaction, orgId, 'people.csv'));
  const file = new PassThrough();
  const imported = importEmployees(db, { orgId }, id, file, {}, timing);
  imported.catch(() => undefined); // looked at by the test
  file.write(HEADER);
  await until('it runs', async () => (await importOf(id)).status === 'running');
  return { id, file, imported };
}

/** As if it had written nothing for longer than it may. */
async function silence(id: number): Promise<void> {
  await on.db
    .updateTable('imports')
    .set({ touched_at: sql<string>`now() - make_interval(secs => ${ABANDONED_IMPORT_SECONDS + 1}::int)` })
    .where('id', '=', id)
    .execute();
}

function importOf(id: number) {
  return on.db
    .selectFrom('imports')
    .where('id', '=', id)
    .select(['status', 'rows_read', 'rows_added', 'error', 'finished_at'])
    .select(sql<boolean>`touched_at < now() - make_interval(secs => ${ABANDONED_IMPORT_SECONDS}::int)`.as('isSilent'))
    .executeTakeFirstOrThrow();
}
