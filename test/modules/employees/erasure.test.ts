import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MODULES } from '../../../src/modules.ts';
import { loadPersonalData } from '../../../workers/parts/modules.ts';
import type { ApiClient } from '../../api-client.ts';
import { TEST_MODULES } from '../../modules.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { loadTenant } from '../../scenarios/tenant.ts';
import { tablesWith } from '../../tables-with.ts';
import { type Import, importFile } from './import-api.ts';

const MARK = 'mark-of-the-erased';
const EMAIL = `p2@${MARK}.test`;

let api: RunningApi;
let owner: ApiClient;
let id: number;
beforeAll(async () => {
  api = await runApi();
  owner = await api.newOwner();
  let ids = {};
  const party = { orgId: owner.orgId, client: owner, database: api.database, mark: MARK };
  for (const { name } of TEST_MODULES) {
    const tenant = await loadTenant(name);
    ids = { ...ids, ...(await tenant?.arrange({ ...party, ids })) };
  }
  id = (ids as { staying: number }).staying;
  await owner.send('POST', '/api/v1/suppressions', { address: EMAIL });
});
afterAll(() => api.stop());

test('every table that refers to an employee, over however many others, says what it holds and is erased with them', async () => {
  const { rows } = await sql<{ name: string; cascades: boolean }>`
    with recursive about (name, cascades) as (
      select 'employees'::regclass, true
      union
      select c.conrelid::regclass, c.confdeltype = 'c' from pg_constraint c join about on c.confrelid = about.name
      where c.contype = 'f'
    ) select name::text, bool_or(cascades) as cascades from about group by name order by 1`.execute(api.database.db);
  const stated = Object.keys(await loadPersonalData(MODULES));
  expect(rows.map(({ name }) => name)).toEqual(stated.toSorted());
  expect(rows.filter(({ cascades }) => !cascades)).toEqual([]);
});

test('an export has every row with a text of theirs, whatever table it is in', async () => {
  const { status, body, headers } = await owner.get<Record<string, object[]>>(`/api/v1/employees/${id}/personal-data`);
  expect(status).toBe(200);
  expect(headers.get('content-disposition')).toContain('attachment');
  const found = await tablesWith(api.database.db, EMAIL);
  expect(found).toContain('employees');
  for (const table of found) expect(JSON.stringify(body[table]), table).toContain(EMAIL);
  for (const [table, rows] of Object.entries(body)) expect(rows.length, table).toBeGreaterThan(0);
});

test('viewers neither see nor erase it', async () => {
  const viewer = await api.signedIn(owner.orgId, 'viewer');
  expect((await viewer.get(`/api/v1/employees/${id}/personal-data`)).status).toBe(403);
  expect((await viewer.send('DELETE', `/api/v1/employees/${id}`)).status).toBe(403);
});

test('what imports quote of a file is erased with anybody whom the organisation erases, in whatever spelling it has them, and of no other organisation', async () => {
  const [erasing, other] = [await api.newOwner(), await api.newOwner()];
  const rejected = [
    ...['Hopper,ada @corp.test', 'Hopper,ada＠corp.test', 'Hopper,"ada@corp,test"', 'Hopper,ada.@corp.test'],
    ...['"Hopper",P <ada@bücher.test>', 'HÃ¶pper,ada@corp.test', 'H?pper,ada@corp.test', 'H%6F%70per,ada@corp.test'],
  ];
  const files = [
    [`name,email\n${rejected.join('\n')}\nAda Hopper,ada@corp.test\n`, ''],
    ['Ada Hopper,ada@corp.test\nBen,ben@corp.test\n', 'header=true&name=1&email=2'], // no header, and taken for one
    ['Ada Hopper,ada.hopper@the-analytical-engines.test\nBen,ben@corp.test\n', 'header=true'], // cut short where it is quoted
    ['Name,"Ada Hopper, name"\nBen,ben@corp.test\nCleo,cleo@corp.test\n', 'header=true&email=2'],
  ] as const;
  for (const client of [erasing, other])
    for (const [file, choices] of files) await importFile(client, file, 'text/csv', choices);
  const before = await reportsOf(erasing);
  expect(JSON.stringify(before)).toMatch(/Hopper.*ada@bücher/s);
  const { items } = (await erasing.get<{ items: { id: number }[] }>('/api/v1/employees?search=ada@corp.test')).body;
  expect((await erasing.send('DELETE', `/api/v1/employees/${items[0]?.id}`)).status).toBe(204);
  const after = await reportsOf(erasing);
  expect(JSON.stringify(after)).not.toMatch(/h.{1,4}pper|ada|%6F/i);
  // Where the rows were, and how many, is still known.
  const said = ({ error, rejections, rowsRead, rowsRejected, status }: Import) => ({
    failed: error !== null,
    lines: rejections.map(({ line }) => line),
    rowsRead,
    rowsRejected,
    status,
  });
  expect(after.map(said)).toEqual(before.map(said));
  expect(JSON.stringify(await reportsOf(other))).toMatch(/Hopper.*ada@bücher/s);
});

test('after the erasure no table has a text or an id of theirs but the suppression of the address, and the log says that it was done without naming them', async () => {
  const before = await teamSize();
  expect((await owner.send('DELETE', `/api/v1/employees/${id}`)).status).toBe(204);
  // It may be imported again tomorrow, and is not to be sent to.
  expect(await tablesWith(api.database.db, EMAIL)).toEqual(['suppressions']);
  const referring = await sql<{ name: string }>`
    select table_name as name from information_schema.columns
    where table_schema = 'public' and column_name = 'employee_id'`.execute(api.database.db);
  for (const { name } of referring.rows) {
    const { rows } = await sql`select from ${sql.table(name)} where employee_id = ${id}`.execute(api.database.db);
    expect(rows, name).toEqual([]);
  }
  expect(await teamSize()).toBe(before - 1);
  const log = await owner.get<{ items: { action: string; subject: string }[] }>(
    '/api/v1/audit-log?action=employee.erased',
  );
  expect(log.body.items).toMatchObject([{ subject: `employee ${id}` }]);
  expect((await owner.get(`/api/v1/employees/${id}/personal-data`)).status).toBe(404);
  expect((await owner.send('DELETE', `/api/v1/employees/${id}`)).status).toBe(404);
});

async function teamSize(): Promise<number> {
  const { rows } = await sql<{ size: number }>`
    select sum(employees)::int as size from teams where org_id = ${owner.orgId}`.execute(api.database.db);
  return rows[0]?.size ?? Number.NaN;
}

async function reportsOf(client: ApiClient): Promise<Import[]> {
  return (await client.get<{ items: Import[] }>('/api/v1/imports')).body.items;
}
