import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signIn } from '../../bench/load/accounts.ts';
import { checkHistory, readHistory } from '../../bench/load/history.ts';
import { runOpenLoop } from '../../bench/load/open-loop.ts';
import type { Account } from '../../bench/load/plan.ts';
import { createWorkload, routesOf } from '../../bench/load/workload.ts';
import { bench } from '../../bench/platform/bench.ts';
import { SESSION_HISTORY } from '../../bench/platform/session-steps.ts';
import { registerOrganisation } from '../registration.ts';
import { type RunningApi, runApi } from '../running-api.ts';

/** Twice through the mix: what revokes, withdraws or lifts does so in the second round at the latest, and creates before. */
const DAY = { seconds: 18, perSecond: 10 };
const PASSWORD = 'tardigrade-owner';
const folder = mkdtempSync(join(tmpdir(), 'tardigrade-bench-'));
let api: RunningApi;
let account: Account;

beforeAll(async () => {
  const email = 'owner@alone.test';
  api = await runApi({ OPERATORS: email });
  await registerOrganisation(api, { email, password: PASSWORD });
  account = await signIn(api.url, email, PASSWORD);
});

afterAll(async () => {
  await api.stop();
  rmSync(folder, { recursive: true });
});

test('without any module there is a day all the same: reads, sign-ins and sign-outs that are looked for afterwards', async () => {
  const workload = createWorkload([bench]);
  const historyFile = join(folder, 'history.jsonl');
  const figures = await runOpenLoop(
    {
      kind: 'open-loop',
      url: api.url,
      phases: [DAY],
      arrivals: 'poisson',
      seed: 5,
      mix: { ...workload.officeDay, ...workload.rare },
      mixOrder: 'cycle',
      accounts: [account],
      historyFile,
    },
    workload,
    () => undefined,
  );
  expect(figures.wrongSamples).toEqual([]);
  expect(routesOf(figures.byRoute)).toEqual(Object.keys(workload.steps).sort());
  const found = await checkHistory(api.database.ownerUrl, workload.history, readHistory(historyFile));
  expect(found.lost).toBe(0);
  expect(found.acknowledged['sign-in']).toBeGreaterThan(0);
  expect(found.acknowledged['sign-out']).toBeGreaterThan(0);
  expect(found.acknowledged['registration']).toBeGreaterThan(0);
});

test('a session or a registration that the database lost is found, and a session that it should have forgotten', async () => {
  const { token, email } = await signIn(api.url, account.email, PASSWORD);
  const tokenHash = createHash('sha256').update(token).digest('hex');
  const lost = createHash('sha256').update('nobody').digest('hex');
  const found = await checkHistory(api.database.ownerUrl, SESSION_HISTORY, [
    { kind: 'sign-in', email, tokenHash },
    { kind: 'sign-in', email, tokenHash: lost },
    { kind: 'sign-out', email, tokenHash },
    { kind: 'registration', email: 'nobody@lost.test' },
  ]);
  expect(found).toMatchObject({ lost: 3, acknowledged: { 'sign-in': 2, 'sign-out': 1, registration: 1 } });
  expect(found.samples.join()).toContain(`lost: session of ${email}`);
  expect(found.samples.join()).toContain(`lost: end of a session of ${email}`);
  expect(found.samples.join()).toContain('lost: registration of nobody@lost.test');
});

test('a kind of write that nobody knows how to find is an error, not a write that was found', async () => {
  await expect(checkHistory(api.database.ownerUrl, SESSION_HISTORY, [{ kind: 'note' }])).rejects.toThrow(
    'No module says how to look for a write of the kind note.',
  );
});
