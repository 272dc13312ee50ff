import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkInTokens } from '../../../bench/load/check-in-tokens.ts';
import { checkHistory, type HistoryEntry, readHistory } from '../../../bench/load/history.ts';
import type { SocketsPlan } from '../../../bench/load/plan.ts';
import { startLoad } from '../../../bench/load/start-load.ts';
import { start } from '../../../workers/chat.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { CONTENT } from '../../modules/campaigns/drafts.ts';
import { addEmployees } from '../../modules/employees/people.ts';
import { addOrganisation } from '../../organisation.ts';
import { emptyRedis, startWorker, type TestWorker, testEnvironment } from '../../worker.ts';

const PEOPLE = 60;
const folder = mkdtempSync(join(tmpdir(), 'tardigrade-bench-'));
let database: TestDatabase;
let chat: TestWorker;
let environment: Record<string, string>;
let campaigns = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  await emptyRedis();
  environment = await testEnvironment(database);
  chat = await startWorker('chat', start, environment);
});

afterAll(async () => {
  await chat.stop();
  await database.close();
  rmSync(folder, { recursive: true });
});

/** A campaign whose links were sent, without a mailer: the ledger is written as it would be. */
async function sentCampaign(): Promise<string[]> {
  const orgId = await addOrganisation(database.db);
  await addEmployees(database.db, orgId, PEOPLE, `chat-${++campaigns}.test`);
  const { rows } = await sql<{ id: number }>`
    insert into campaigns (org_id, name, subject, body, questions, status, link_expires_at)
    values (${orgId}, 'Weekly', 's', 'b', ${[...(CONTENT.questions ?? [])]}, 'done', now() + interval '1 day') returning id`.execute(
    database.db,
  );
  const campaignId = Number(rows[0]?.id);
  await sql`insert into campaign_progress (org_id, campaign_id) values (${orgId}, ${campaignId})`.execute(database.db);
  await sql`insert into reach_outs (org_id, campaign_id, employee_id, status)
    select org_id, ${campaignId}, id, 'sent' from employees where org_id = ${orgId}`.execute(database.db);
  return checkInTokens(database.ownerUrl, chat.config.secretKey, { count: PEOPLE, campaignId });
}

const planFor = (tokens: string[], plan: Partial<SocketsPlan>): SocketsPlan => ({
  kind: 'sockets',
  url: chat.config.chatUrl,
  tokens,
  connectSeconds: 0.5,
  mode: 'steady',
  pace: { kind: 'think', minMs: 20, maxMs: 100 },
  seconds: 6,
  seed: 5,
  ...plan,
});

test('everybody answers every question, and each acknowledged answer is in the database', async () => {
  const tokens = await sentCampaign();
  const historyFile = join(folder, 'steady.jsonl');
  const figures = await startLoad(planFor(tokens, { historyFile })).figures;
  expect(figures).toMatchObject({ clients: PEOPLE, finished: PEOPLE, acknowledged: PEOPLE * 3, wrong: 0, failed: 0 });
  expect(figures.byRoute['socket hello']?.count).toBe(PEOPLE);
  expect(figures.byRoute['socket answer']?.count).toBe(PEOPLE * 3);
  const sound = { lost: 0, duplicated: 0, wrongSeq: 0, withGaps: 0 };
  expect(await checkHistory(database.ownerUrl, readHistory(historyFile))).toMatchObject({
    answers: PEOPLE * 3,
    ...sound,
  });
});

test('answers come at the rate of the schedule; those that nobody can give are dropped', async () => {
  const tokens = await sentCampaign();
  const pace = { kind: 'schedule', phases: [{ seconds: 4, perSecond: 50 }], arrivals: 'constant' } as const;
  const figures = await startLoad(planFor(tokens, { pace })).figures;
  // 60 people with three questions each have 180 answers to give.
  expect(figures.acknowledged + figures.dropped).toBe(200);
  expect(figures.acknowledged).toBeGreaterThan(100);
  expect(figures).toMatchObject({ wrong: 0, failed: 0 });
});

test('a storm: when the server dies, everybody comes back and the time of each is measured', async () => {
  const tokens = await sentCampaign();
  const storm = startLoad(planFor(tokens, { mode: 'storm', seconds: 30 }));
  await storm.event('connected');
  const { port } = new URL(chat.config.chatUrl);
  await chat.stop();
  chat = await startWorker('chat', start, { ...environment, CHAT_PORT: port, CHAT_URL: chat.config.chatUrl });
  const figures = await storm.figures;
  expect(figures).toMatchObject({ connectedMax: PEOPLE, lostConnections: PEOPLE, neverBack: 0, wrong: 0 });
  expect(figures.back.count).toBe(PEOPLE);
});

test('links that the server refuses are counted and not tried again', async () => {
  const figures = await startLoad(planFor(['1.1.aaaaaaaaaaaaaaaaaaaaaa'], { seconds: 1 })).figures;
  expect(figures).toMatchObject({ refusedLinks: 1, acknowledged: 0, failed: 1 });
});

test('the history finds what was lost, stored twice, numbered otherwise or left out', async () => {
  const tokens = await sentCampaign();
  const historyFile = join(folder, 'planted.jsonl');
  await startLoad(planFor(tokens, { historyFile })).figures;
  const answers: Extract<HistoryEntry, { kind: 'answer' }>[] = [];
  for await (const entry of readHistory(historyFile)) if (entry.kind === 'answer') answers.push(entry);
  // Of four different conversations, each with one fault.
  const first = new Map(answers.map((answer) => [answer.reachOutId, answer]));
  const [lost, twice, moved, gap] = [...first.values()] as [
    (typeof answers)[0],
    (typeof answers)[0],
    (typeof answers)[0],
    (typeof answers)[0],
  ];
  const where = (answer: (typeof answers)[0]) => sql`conversation_id = (select id from conversations
    where org_id = ${answer.orgId} and reach_out_id = ${answer.reachOutId})`;
  await sql`update messages set nonce = 'gone', body = 'gone' where nonce = ${lost.nonce}`.execute(database.db);
  await sql`insert into messages (org_id, conversation_id, seq, sender, nonce, body)
    select org_id, conversation_id, 9, 'employee', 'twin', body from messages where nonce = ${twice.nonce}`.execute(
    database.db,
  );
  await sql`update conversations set last_seq = 9 where org_id = ${twice.orgId} and reach_out_id = ${twice.reachOutId}`.execute(
    database.db,
  );
  await sql`delete from messages where seq = 1 and ${where(gap)}`.execute(database.db);
  const found = await checkHistory(
    database.ownerUrl,
    answers.map((answer) => (answer === moved ? { ...answer, seq: 77 } : answer)),
  );
  expect(found).toMatchObject({ answers: PEOPLE * 3, lost: 1, duplicated: 1, wrongSeq: 1 });
  expect(found.withGaps).toBe(2); // the hole, and the number that was skipped for the twin
  expect(found.samples.join('\n')).toContain(`lost: answer ${lost.nonce}`);
});
