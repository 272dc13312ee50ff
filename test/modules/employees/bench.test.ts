import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CheckCall } from '../../../bench/load/checks.ts';
import { checkHistory, readHistory } from '../../../bench/load/history.ts';
import type { Account } from '../../../bench/load/plan.ts';
import { routesOf } from '../../../bench/load/workload.ts';
import { EMPLOYEE_CHECKS } from '../../../bench/modules/employees/checks.ts';
import { EMPLOYEE_HISTORY } from '../../../bench/modules/employees/history.ts';
import { plantedFaults } from '../../../bench/modules/employees/planted-faults.ts';
import { plant } from '../../../bench/planted-faults/planted-fault.ts';
import { checkBody } from '../../bench/answer.ts';
import { askModule, strangeStatuses, twoOwners } from '../../bench/module-day.ts';
import { type RunningApi, runApi } from '../../running-api.ts';

const folder = mkdtempSync(join(tmpdir(), 'tardigrade-bench-'));
let api: RunningApi;
let accounts: [Account, Account];

beforeAll(async () => {
  api = await runApi();
  accounts = await twoOwners(api);
  for (const { orgId, domain } of accounts) {
    await sql`insert into teams (org_id, name) values (${orgId}, 'People')`.execute(api.database.db);
    await sql`insert into employees (org_id, team_id, name, email)
      select org_id, id, 'Person ' || n, 'person-' || n || '@' || ${domain}::text
      from teams, generate_series(1, 120) n where org_id = ${orgId}`.execute(api.database.db);
  }
});

afterAll(async () => {
  await api.stop();
  rmSync(folder, { recursive: true });
});

test('every step is asked, every answer is right, every acknowledged person is kept', async () => {
  const historyFile = join(folder, 'history.jsonl');
  const { figures, asked } = await askModule({ api, accounts, module: 'employees', historyFile });
  expect(figures.wrongSamples).toEqual([]);
  expect(strangeStatuses(figures)).toEqual([]);
  expect(routesOf(figures.byRoute)).toEqual(routesOf(Object.fromEntries(asked.map((step) => [step, 1]))));
  const history = await checkHistory(api.database.ownerUrl, EMPLOYEE_HISTORY, readHistory(historyFile));
  expect(history.lost).toBe(0);
  expect(history.acknowledged['employee']).toBeGreaterThan(0);
});

test('an imported person whom the database lost is found', async () => {
  const [{ orgId }] = accounts;
  const entries = [
    { kind: 'employee', orgId, email: 'person-1@one.test', name: 'Person 1' },
    { kind: 'employee', orgId, email: 'nobody@one.test', name: 'Nobody' },
  ];
  const found = await checkHistory(api.database.ownerUrl, EMPLOYEE_HISTORY, entries);
  expect(found).toMatchObject({ acknowledged: { employee: 2 }, faults: { lost: 1 } });
});

const check = (call: CheckCall, body: unknown) => checkBody(EMPLOYEE_CHECKS, call, body);

test('employees of another organisation, or that nobody searched for, are wrong', () => {
  const body = { items: [{ id: 1, name: 'Mara Berg', email: 'mara.berg@a.test' }], nextCursor: null };
  expect(check({ name: 'employees', args: { domain: 'a.test', search: 'MAR' } }, body)).toBeUndefined();
  expect(check({ name: 'employees', args: { domain: 'b.test' } }, body)).toBe(
    'mara.berg@a.test is of another organisation',
  );
  expect(check({ name: 'employees', args: { search: 'jo' } }, body)).toContain('does not begin with jo');
});

test('an import that lost a row is wrong', () => {
  const done = {
    id: 3,
    status: 'done',
    rowsRead: 20,
    rowsAdded: 18,
    rowsUpdated: 1,
    rowsUnchanged: 1,
    rowsRejected: 0,
  };
  expect(check({ name: 'import', args: { rows: 20, id: 3 } }, done)).toBeUndefined();
  expect(check({ name: 'import', args: { rows: 20 } }, { ...done, rowsAdded: 17 })).toContain('not 20');
  expect(check({ name: 'import', args: { rows: 20 } }, { ...done, rowsRead: 19 })).toBe('19 rows read of 20');
});

test('a preview that lost a row, or shows another person first, is wrong', () => {
  const shown = { problem: null, rowsRead: 20, rowsRejected: 0, rows: [{ employee: { name: 'Preview 0' } }] };
  expect(check({ name: 'preview', args: { rows: 20 } }, shown)).toBeUndefined();
  expect(check({ name: 'preview', args: { rows: 20 } }, { ...shown, rowsRead: 19 })).toContain('19 rows read');
  expect(check({ name: 'preview', args: { rows: 20 } }, { ...shown, rows: [] })).toContain('not the first person');
});

test.each(plantedFaults)('the planted fault $name still finds its place in the code', (fault) => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', '..', fault.file), 'utf8');
  expect(plant(text, fault)).not.toBe(text);
});
