import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  IMPORT_BATCH_ROWS,
  IMPORTS_AT_ONCE_MAX,
  IMPORTS_OF_ORGANISATION_MAX,
  TEAMS_MAX,
} from '../../../src/modules/employees/limits.ts';
import type { ApiClient } from '../../api-client.ts';
import { adminUrlOf, asAdmin, isWaitingForLock, until } from '../../database.ts';
import { type RunningApi, runApi, slowRequest } from '../../running-api.ts';
import { csvOf, employeesOf, type Import, importFile, newImport } from './import-api.ts';

/** A position that no replica reaches: the primary answers. */
const ON_PRIMARY = '4294967295:FFFFFFFF/FFFFFFFF';

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi();
});
beforeEach(async () => {
  owner = await api.newOwner();
});
afterAll(() => api.stop());

test('10,000 people come in, and the same file again changes nobody', async () => {
  const file = csvOf(10_000);
  const first = await importFile(owner, file);
  expect(first.put).toMatchObject({
    status: 200,
    body: { status: 'done', rowsRead: 10_000, rowsAdded: 10_000, rowsRejected: 0, error: null },
  });
  expect(first.put.body.finishedAt).not.toBeNull();
  const again = await importFile(owner, file);
  expect(again.put.body).toMatchObject({ rowsRead: 10_000, rowsAdded: 0, rowsUpdated: 0, rowsUnchanged: 10_000 });
  const teams = await owner.get<{ items: { employees: number }[] }>('/api/v1/teams');
  expect(teams.body.items).toHaveLength(7);
  expect(teams.body.items.reduce((sum, { employees }) => sum + employees, 0)).toBe(10_000);
});

test('who has another name or team in a later file is updated, nobody else is touched', async () => {
  await importFile(owner, csvOf(50));
  const { put } = await importFile(
    owner,
    csvOf(50, (n) => (n === 7 ? 'Renamed' : `Person ${n}`)).replace('p9@a.test,Team 2', 'p9@a.test,Team 3'),
  );
  expect(put.body).toMatchObject({ rowsAdded: 0, rowsUpdated: 2, rowsUnchanged: 48 });
  const people = await employeesOf(api, owner.orgId);
  expect(people).toHaveLength(50);
  expect(people.find(({ email }) => email === 'p7@a.test')?.name).toBe('Renamed');
  expect(people.find(({ email }) => email === 'p9@a.test')?.team).toBe('Team 3');
});

test('an address that stands twice in the file is one person: the later row wins', async () => {
  const { put } = await importFile(owner, 'name,email\nOld,ada@a.test\nBen,ben@a.test\nNew,ADA@a.test\n');
  expect(put.body).toMatchObject({ rowsRead: 3, rowsAdded: 2, rowsUnchanged: 1, rowsRejected: 0 });
  expect((await employeesOf(api, owner.orgId)).map(({ name }) => name)).toEqual(['New', 'Ben']);
});

test('two organisations may have the same person', async () => {
  const other = await api.newOwner();
  await importFile(owner, csvOf(3));
  const { put } = await importFile(
    other,
    csvOf(3, (n) => `Theirs ${n}`),
  );
  expect(put.body.rowsAdded).toBe(3);
  expect((await employeesOf(api, owner.orgId)).map(({ name }) => name)).toEqual(['Person 0', 'Person 1', 'Person 2']);
});

test('past the last team that an organisation may have, rows are rejected and say so', async () => {
  const rows = Array.from({ length: TEAMS_MAX + 10 }, (_, n) => `P${n},p${n}@a.test,Team ${n}`);
  const { put } = await importFile(owner, `name,email,team\n${rows.join('\n')}`);
  expect(put.body).toMatchObject({ rowsAdded: TEAMS_MAX, rowsRejected: 10 });
  expect(put.body.rejections[0]?.reason).toBe(`the organisation already has the maximum of ${TEAMS_MAX} teams`);
});

test('progress can be seen while the file is still being sent', async () => {
  const upload = await slowUpload();
  const file = csvOf(8_000);
  upload.send(file.slice(0, file.length / 2));
  const halfway = await until('rows were read', async () => {
    const { body } = await owner.get<Import>(`/api/v1/imports/${upload.id}`);
    return body.rowsRead > 0 ? body : undefined;
  });
  expect(halfway).toMatchObject({ status: 'running', finishedAt: null });
  expect(halfway.rowsAdded).toBe(halfway.rowsRead);
  upload.end(file.slice(file.length / 2));
  const { status, body } = await upload.answer;
  expect(status).toBe(200);
  expect(JSON.parse(body)).toMatchObject({ status: 'done', rowsRead: 8_000, rowsAdded: 8_000 });
});

test('an upload that is cut keeps what came before and says so; the same file again adds the others', async () => {
  const upload = await slowUpload();
  const file = csvOf(8_000);
  upload.send(file.slice(0, file.length / 2));
  await until(
    'rows were read',
    async () => (await owner.get<Import>(`/api/v1/imports/${upload.id}`)).body.rowsRead > 0,
  );
  upload.cut();
  const failed = await until('the import has noticed', async () => {
    const { body } = await api.database.db
      .selectFrom('imports')
      .where('id', '=', upload.id)
      .selectAll()
      .executeTakeFirstOrThrow()
      .then((row) => ({ body: row }));
    return body.status === 'failed' ? body : undefined;
  });
  expect(failed.error).toMatch(/^The upload was cut off after line \d+\. The rows before that were imported\. Send/);
  const kept = (await employeesOf(api, owner.orgId)).length;
  expect(kept).toBe(failed.rows_added);
  expect(kept).toBeGreaterThanOrEqual(IMPORT_BATCH_ROWS);
  const again = await importFile(owner, file);
  expect(again.put.body).toMatchObject({ status: 'done', rowsAdded: 8_000 - kept, rowsUnchanged: kept });
});

test('an import has one file: a second one is refused, while the first runs and after it', async () => {
  const upload = await slowUpload();
  upload.send('name,email\nAda,ada@a.test\n');
  await until('it runs', async () => (await statusOf(upload.id)) === 'running');
  expect(await put(upload.id)).toMatchObject({ status: 409, body: { code: 'conflict' } });
  upload.end();
  expect((await upload.answer).status).toBe(200);
  expect((await put(upload.id)).status).toBe(409);
});

test('more imports at once than there is room for are told to come back, and may come back', async () => {
  const uploads = await Promise.all(Array.from({ length: IMPORTS_OF_ORGANISATION_MAX }, () => slowUpload()));
  for (const { send } of uploads) send('name,email\n');
  await until('all run', async () =>
    (await Promise.all(uploads.map(({ id }) => statusOf(id)))).every((status) => status === 'running'),
  );
  const late = await newImport(owner);
  const refused = await put(late);
  expect(refused).toMatchObject({ status: 503, body: { code: 'overloaded' } });
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
  for (const { cut } of uploads) cut();
  await until('there is room again', async () => (await put(late)).status === 200);
});

test('an organisation whose files take for ever gives up a place when all are taken and another has none', async () => {
  const run = async (client: ApiClient) => {
    const upload = await slowUpload(client);
    upload.send('name,email\n');
    await until('it runs', async () => (await statusOf(upload.id)) === 'running');
    return upload;
  };
  const other = await api.newOwner();
  const slow = [];
  for (const client of [owner, other])
    for (let n = 0; n < IMPORTS_OF_ORGANISATION_MAX; n++) slow.push(await run(client));
  expect(slow).toHaveLength(IMPORTS_AT_ONCE_MAX);
  const { put: third } = await importFile(await api.newOwner(), csvOf(3));
  expect(third).toMatchObject({ status: 200, body: { rowsAdded: 3 } });
  const [pushedOut, ...others] = slow;
  expect((await pushedOut?.answer)?.status).toBe(503);
  const { body } = await owner.get<Import>(`/api/v1/imports/${pushedOut?.id}`);
  expect(body).toMatchObject({ status: 'failed', error: 'Too many imports at once. Try again in a moment.' });
  for (const upload of others) upload.end('Ada,ada@a.test\n');
  for (const { answer } of others) expect((await answer).status).toBe(200);
});

test('a fault of ours in the middle is told as one, keeps what came before, and leaves the connection whole', async () => {
  await sql`alter table employees add constraint no_boom check (email <> 'p4000@a.test') not valid`.execute(
    api.database.db,
  );
  const { put: answer, kept } = await importFile(owner, csvOf(200_000));
  await sql`alter table employees drop constraint no_boom`.execute(api.database.db);
  expect(answer).toMatchObject({ status: 500, body: { code: 'internal' } });
  expect(kept).toMatchObject({ status: 'failed', rowsRead: 4_000, rowsAdded: 4_000 });
  expect(kept.error).toMatch(/^Something went wrong on our side after line 4001/);
});

test('a batch that is stored again, because its connection broke, makes its teams again as well', async () => {
  await importFile(owner, 'name,email,team\nAda,ada@a.test,Sales\n');
  const { db } = api.database;
  const imported = await db.transaction().execute(async (transaction) => {
    await sql`select from employees where org_id = ${owner.orgId} for update`.execute(transaction);
    const importing = importFile(owner, 'name,email,team\nAda,ada@a.test,Support\n');
    await until('it has made the team, and waits for the person', () => isWaitingForLock(db));
    await asAdmin(
      (client) =>
        client.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
        ),
      adminUrlOf(api.database),
    );
    return { importing };
  });
  expect((await imported.importing).put).toMatchObject({ status: 200, body: { status: 'done', rowsUpdated: 1 } });
  expect(await employeesOf(api, owner.orgId)).toMatchObject([{ name: 'Ada', team: 'Support' }]);
});

test('imports come newest first, page by page', async () => {
  const ids = [await newImport(owner), await newImport(owner), await newImport(owner)];
  type Page = { items: Import[]; nextCursor: string };
  const first = (await owner.get<Page>('/api/v1/imports?limit=2')).body;
  expect(first.items.map(({ id }) => id)).toEqual([ids[2], ids[1]]);
  const second = (await owner.get<Page>(`/api/v1/imports?limit=2&cursor=${first.nextCursor}`)).body;
  expect(second.items.map(({ id }) => id)).toEqual([ids[0]]);
  expect(second.nextCursor).toBeNull();
});

test('a file for an import that does not exist is a 404', async () => {
  expect((await put(4_711)).status).toBe(404);
});

test('a part of a file is refused, and the import still takes the whole one', async () => {
  const id = await newImport(owner);
  const part = await put(id, { 'content-range': 'bytes 0-25/52' });
  expect(part).toMatchObject({ status: 400, body: { detail: expect.stringContaining('Send the whole file at once') } });
  expect(await statusOf(id)).toBe('waiting');
  expect((await put(id)).status).toBe(200);
});

function put(id: number, headers = {}) {
  return owner.send('PUT', `/api/v1/imports/${id}/file`, 'name,email\nAda,ada@a.test\n', {
    'content-type': 'text/csv',
    ...headers,
  });
}

async function slowUpload(client = owner) {
  const id = await newImport(client);
  const headers = { 'content-type': 'text/csv', authorization: `Bearer ${client.token}`, 'read-after': ON_PRIMARY };
  return {
    id,
    ...slowRequest(api.url, 'PUT', `/api/v1/imports/${id}/file`, { ...headers, 'transfer-encoding': 'chunked' }),
  };
}

async function statusOf(id: number): Promise<string> {
  const row = await api.database.db
    .selectFrom('imports')
    .where('id', '=', id)
    .select('status')
    .executeTakeFirstOrThrow();
  return row.status;
}
