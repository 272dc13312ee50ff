import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkHistory, readHistory } from '../../../bench/load/history.ts';
import { OFFICE_DAY, RARE, routesOf, STEPS } from '../../../bench/load/mixes.ts';
import type { Account } from '../../../bench/load/plan.ts';
import { startLoad } from '../../../bench/load/start-load.ts';
import { addEmployees } from '../../modules/employees/people.ts';
import { type RunningApi, runApi } from '../../running-api.ts';

const folder = mkdtempSync(join(tmpdir(), 'tardigrade-bench-'));
let api: RunningApi;
const accounts: Account[] = [];

beforeAll(async () => {
  api = await runApi();
  for (const domain of ['one.test', 'two.test']) {
    const { orgId, token } = await api.newOwner();
    await addEmployees(api.database.db, orgId, 120, domain);
    const email = String((await meOf(token)).user.email);
    accounts.push({ token, orgId, email, role: 'owner', domain, mayLaunch: true });
  }
});

afterAll(async () => {
  await api.stop();
  rmSync(folder, { recursive: true });
});

async function meOf(token: string): Promise<{ user: { email: string } }> {
  return (await (await fetch(`${api.url}/api/me`, { headers: { authorization: `Bearer ${token}` } })).json()) as never;
}

test('every route is asked, every answer is right, every acknowledged write is kept', async () => {
  const historyFile = join(folder, 'history.jsonl');
  const mix = Object.fromEntries(
    Object.keys({ ...OFFICE_DAY, ...RARE })
      // Nobody has a password here, and nobody has answered yet.
      .filter((step) => STEPS[step]?.needs !== 'password' && step !== 'GET /api/conversations/{id}')
      .map((step) => [step, 1]),
  );
  const figures = await startLoad({
    kind: 'open-loop',
    url: api.url,
    phases: [{ seconds: 8, perSecond: 60 }],
    arrivals: 'poisson',
    seed: 11,
    mix,
    accounts,
    historyFile,
  }).figures;
  expect(figures.wrongSamples).toEqual([]);
  expect(Object.keys(figures.statuses).filter((status) => !/^(20\d|404|429|503)$/.test(status))).toEqual([]);
  expect(routesOf(figures.byRoute)).toEqual(expect.arrayContaining(routesOf(mix)));
  const history = await checkHistory(api.database.ownerUrl, readHistory(historyFile));
  expect(history).toMatchObject({ lost: 0, duplicated: 0 });
  expect(history.campaigns).toBeGreaterThan(0);
  expect(history.employees).toBeGreaterThan(0);
});

test('a campaign and an imported person that the database lost are found', async () => {
  const [{ orgId }] = accounts as [Account];
  const found = await checkHistory(api.database.ownerUrl, [
    { kind: 'campaign', orgId, id: 4_000_000, name: 'never stored' },
    { kind: 'employee', orgId, email: 'person-1@one.test', name: 'Person 1' },
    { kind: 'employee', orgId, email: 'nobody@one.test', name: 'Nobody' },
  ]);
  expect(found).toMatchObject({ campaigns: 1, employees: 2, lost: 2 });
});
