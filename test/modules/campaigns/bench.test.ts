import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkHistory, readHistory } from '../../../bench/load/history.ts';
import type { Account } from '../../../bench/load/plan.ts';
import { routesOf } from '../../../bench/load/workload.ts';
import { CAMPAIGN_HISTORY } from '../../../bench/modules/campaigns/history.ts';
import { askModule, strangeStatuses, twoOwners } from '../../bench/module-day.ts';
import { type RunningApi, runApi } from '../../running-api.ts';

const folder = mkdtempSync(join(tmpdir(), 'tardigrade-bench-'));
let api: RunningApi;
let accounts: [Account, Account];

beforeAll(async () => {
  api = await runApi();
  accounts = await twoOwners(api);
});

afterAll(async () => {
  await api.stop();
  rmSync(folder, { recursive: true });
});

test('every step is asked, every answer is right, every acknowledged campaign is kept', async () => {
  const historyFile = join(folder, 'history.jsonl');
  const { figures, asked } = await askModule({ api, accounts, module: 'campaigns', historyFile });
  expect(figures.wrongSamples).toEqual([]);
  expect(strangeStatuses(figures)).toEqual([]);
  expect(routesOf(figures.byRoute)).toEqual(routesOf(Object.fromEntries(asked.map((step) => [step, 1]))));
  const history = await checkHistory(api.database.ownerUrl, CAMPAIGN_HISTORY, readHistory(historyFile));
  expect(history.lost).toBe(0);
  expect(history.acknowledged['campaign']).toBeGreaterThan(0);
});

test('a campaign that the database lost is found', async () => {
  const [{ orgId }] = accounts;
  const entries = [{ kind: 'campaign', orgId, id: 4_000_000, name: 'never stored' }];
  const found = await checkHistory(api.database.ownerUrl, CAMPAIGN_HISTORY, entries);
  expect(found).toMatchObject({ faults: { lost: 1 }, lost: 1 });
});
