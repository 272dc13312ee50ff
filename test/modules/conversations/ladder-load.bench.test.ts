import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Account } from '../../../bench/load/plan.ts';
import { startLoad } from '../../../bench/load/start-load.ts';
import { SOCKETS, type SocketsPlan } from '../../../bench/modules/conversations/sockets-plan.ts';
import { dashboardRequests } from '../../../bench/modules/conversations/twenty-times/dashboard.ts';
import { inviteEverywhere } from '../../../bench/modules/conversations/twenty-times/invite-everywhere.ts';
import { readCheckInToken } from '../../../src/modules/conversations/links.ts';
import { start as startApi } from '../../../workers/api.ts';
import { start as startChat } from '../../../workers/chat.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { registerClient } from '../../registration.ts';
import { emptyRedis, SECRET_KEY, startWorker, type TestWorker, testEnvironment } from '../../worker.ts';
import { addDraft } from '../campaigns/drafts.ts';
import { addEmployees } from '../employees/people.ts';

const SIZES = [60, 20];
let database: TestDatabase;
let owner: Client;
let api: TestWorker;
let chat: TestWorker;
let accounts: Account[];

beforeAll(async () => {
  database = await createTestDatabase();
  await emptyRedis();
  const environment = await testEnvironment(database);
  [api, chat] = await Promise.all([
    startWorker('api', startApi, environment),
    startWorker('chat', startChat, environment),
  ]);
  owner = new Client({ connectionString: database.ownerUrl });
  await owner.connect();
  accounts = await Promise.all(
    SIZES.map(async (size, place) => {
      const { orgId, token } = await registerClient({ url: api.config.apiUrl, database });
      await addEmployees(database.db, orgId, size, `ladder-${place}.test`);
      await addDraft(database.database, orgId);
      const { rows } = await sql<{ email: string }>`select email from users where org_id = ${orgId}`.execute(
        database.db,
      );
      return { orgId, token, email: rows[0]?.email as string, role: 'owner' as const };
    }),
  );
});

afterAll(async () => {
  await owner.end();
  await Promise.all([api.stop(), chat.stop()]);
  await database.close();
});

function converse(tokens: readonly string[]) {
  const plan: SocketsPlan = {
    kind: SOCKETS,
    url: chat.config.chatUrl,
    tokens,
    connectSeconds: 0.2,
    mode: 'steady',
    pace: { kind: 'think', minMs: 5, maxMs: 20 },
    seconds: 10,
    seed: 3,
  };
  return startLoad(plan).figures;
}

test('people of every organisation are invited, about in proportion to its size, and can answer', async () => {
  const tokens = await inviteEverywhere(owner, SECRET_KEY, 40);
  expect(new Set(tokens).size).toBe(40);
  const ofFirst = tokens.filter((token) => readCheckInToken(SECRET_KEY, token)?.orgId === accounts[0]?.orgId);
  expect(ofFirst.length).toBeGreaterThan(20);
  expect(ofFirst.length).toBeLessThan(40);
  expect(await converse(tokens)).toMatchObject({ finished: 40, acknowledged: 120, wrong: 0, failed: 0 });
});

test('more people than there are cannot be invited', async () => {
  await expect(inviteEverywhere(owner, SECRET_KEY, 81)).rejects.toThrow('80 people can be invited, not 81.');
});

test('what people teams ask is answered rightly by the product, page by page', async () => {
  await converse(await inviteEverywhere(owner, SECRET_KEY, 40));
  const requests = await dashboardRequests(owner, accounts);
  expect(await dashboardRequests(owner, accounts)).toEqual(requests);
  const figures = await startLoad({
    kind: 'open-loop',
    url: api.config.apiUrl,
    phases: [{ seconds: 10, perSecond: 10 }],
    arrivals: 'constant',
    seed: 1,
    requests,
  }).figures;
  expect(figures).toMatchObject({ wrong: 0, failed: 0, wrongSamples: [], statuses: { 200: 100 } });
  expect(Object.keys(figures.byRoute)).toEqual([
    'GET /api/v1/campaigns',
    'GET /api/v1/campaigns/{id}',
    'GET /api/v1/conversations',
    'GET /api/v1/conversations/{id}',
    'GET /api/v1/employees',
    'GET /api/v1/me',
    'GET /api/v1/summary',
  ]);
});
