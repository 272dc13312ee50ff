import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CheckCall } from '../../../bench/load/checks.ts';
import { checkHistory, type HistoryEntry, readHistory } from '../../../bench/load/history.ts';
import { startLoad } from '../../../bench/load/start-load.ts';
import { checkInTokens } from '../../../bench/modules/conversations/check-in-tokens.ts';
import { CONVERSATION_CHECKS } from '../../../bench/modules/conversations/checks.ts';
import { answerForAWhile } from '../../../bench/modules/conversations/durable-answers/answer-loop.ts';
import { createWays, WAYS } from '../../../bench/modules/conversations/durable-answers/ways.ts';
import {
  FLOOD,
  FLOODING,
  FLOODS,
  type FloodPlan,
  isAdmitted,
} from '../../../bench/modules/conversations/flood-plan.ts';
import { CONVERSATION_HISTORY } from '../../../bench/modules/conversations/history.ts';
import type { AcknowledgedAnswer } from '../../../bench/modules/conversations/socket-client.ts';
import { SOCKETS, type SocketsPlan } from '../../../bench/modules/conversations/sockets-plan.ts';
import { OTHER_WINDOW, WINDOWS, type WindowsPlan } from '../../../bench/modules/conversations/windows-plan.ts';
import { openDatabase } from '../../../src/db/read-write-split.ts';
import { createLog } from '../../../src/log.ts';
import { readInvitation } from '../../../src/modules/conversations/conversations.ts';
import { createMetrics } from '../../../src/process/metrics.ts';
import { start } from '../../../workers/chat.ts';
import { checkBody } from '../../bench/answer.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { emptyRedis, startWorker, type TestWorker, testEnvironment } from '../../worker.ts';

const PEOPLE = 60;
const folder = mkdtempSync(join(tmpdir(), 'tardigrade-bench-'));
let database: TestDatabase;
let chat: TestWorker;
let environment: Record<string, string>;
const QUESTIONS = ['How are you?', 'What helps?', 'Anything else?'];

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
  const { id: orgId } = await database.db
    .insertInto('organisations')
    .values({ name: 'Acme' })
    .returning('id')
    .executeTakeFirstOrThrow();
  await sql`insert into teams (org_id, name) values (${orgId}, 'People')`.execute(database.db);
  await sql`insert into employees (org_id, team_id, name, email)
    select org_id, id, 'Person ' || n, 'person-' || n || '@org-' || org_id || '.test'
    from teams, generate_series(1, ${PEOPLE}::int) n where org_id = ${orgId}`.execute(database.db);
  const { rows } = await sql<{ id: number }>`
    insert into campaigns (org_id, name, subject, body, questions, status, link_expires_at)
    values (${orgId}, 'Weekly', 's', 'b', ${JSON.stringify(QUESTIONS.map((text) => ({ text, answer: 'text' })))}::jsonb, 'done', now() + interval '1 day') returning id`.execute(
    database.db,
  );
  const campaignId = Number(rows[0]?.id);
  await sql`insert into campaign_progress (org_id, campaign_id) values (${orgId}, ${campaignId})`.execute(database.db);
  await sql`insert into reach_outs (org_id, campaign_id, employee_id, status)
    select org_id, ${campaignId}, id, 'sent' from employees where org_id = ${orgId}`.execute(database.db);
  return checkInTokens(database.ownerUrl, chat.config.secretKey, { count: PEOPLE, campaignId });
}

const planFor = (tokens: string[], plan: Partial<SocketsPlan>): SocketsPlan => ({
  kind: SOCKETS,
  url: chat.config.chatUrl,
  tokens,
  connectSeconds: 0.5,
  mode: 'steady',
  pace: { kind: 'think', minMs: 20, maxMs: 100 },
  seconds: 60, // over when everybody has finished
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
  expect(await checkHistory(database.ownerUrl, CONVERSATION_HISTORY, readHistory(historyFile))).toMatchObject({
    acknowledged: { answer: PEOPLE * 3 },
    lost: 0,
  });
});

test('answers come at the rate of the schedule; those that nobody can give are dropped', async () => {
  const tokens = await sentCampaign();
  // The schedule begins then, whoever is there: a busy machine may need a while for the first hello.
  const connectSeconds = 5;
  const pace = { kind: 'schedule', phases: [{ seconds: 4, perSecond: 50 }], arrivals: 'constant' } as const;
  const figures = await startLoad(planFor(tokens, { pace, connectSeconds })).figures;
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

test('what one window answers is measured when the other one shows it', async () => {
  const tokens = await sentCampaign();
  const plan: WindowsPlan = {
    ...{ kind: WINDOWS, urls: [chat.config.chatUrl, chat.config.chatUrl], tokens, seed: 5 },
    // What was answered before everybody was there does not count, so nobody answers everything at once.
    ...{ connectSeconds: 0.5, seconds: 8, thinkMs: { min: 1_000, max: 1_500 } },
  };
  const figures = await startLoad(plan).figures;
  expect(figures).toMatchObject({ failed: 0, wrong: 0 });
  expect(figures.byRoute[OTHER_WINDOW]?.count).toBeGreaterThan(PEOPLE);
});

test.each(FLOODS)('people get in and answer while others flood with %s', async (flood) => {
  const tokens = isAdmitted(flood) ? await sentCampaign() : [];
  const plan: FloodPlan = {
    ...{ kind: FLOOD, url: chat.config.chatUrl, flood, sockets: 20, tokens, address: '127.0.0.66', seconds: 600 },
  };
  const flooding = startLoad(plan);
  await flooding.event(FLOODING);
  const people = await startLoad(planFor(await sentCampaign(), {})).figures;
  flooding.stop();
  const { connections, admitted, bytes } = await flooding.figures;
  expect(people).toMatchObject({ finished: PEOPLE, wrong: 0, failed: 0 });
  expect(connections).toBeGreaterThanOrEqual(20);
  if (isAdmitted(flood)) expect(admitted).toBeGreaterThanOrEqual(20);
  else expect(admitted).toBe(0);
  expect(bytes).toBeGreaterThan(0);
});

test('in shared commits and in one each, the same answers are stored', async () => {
  const metrics = createMetrics('chat');
  const opened = openDatabase({ config: chat.config, name: 'chat', log: createLog('test', 'silent'), metrics });
  const ways = createWays(opened, metrics);
  for (const way of WAYS) {
    const keys = (await sentCampaign()).map((token) => readInvitation(chat.config.secretKey, token));
    const block = { conversations: 10, warmUpSeconds: 0, countedSeconds: 20, keys };
    // Of 8 questions the campaign asks three; the fourth answer is refused.
    const figures = await answerForAWhile(ways[way], block);
    expect(figures).toMatchObject({ acknowledged: 3 * 10, refused: 10, refusal: expect.stringContaining('finished') });
  }
  await opened.close();
});

type Answer = HistoryEntry & AcknowledgedAnswer;

test('the history finds what was lost, stored twice, numbered otherwise or left out', async () => {
  const tokens = await sentCampaign();
  const historyFile = join(folder, 'planted.jsonl');
  await startLoad(planFor(tokens, { historyFile })).figures;
  const answers: Answer[] = [];
  for await (const entry of readHistory(historyFile)) answers.push(entry as Answer);
  // Of five different conversations, each with one fault.
  const first = new Map(answers.map((answer) => [answer.reachOutId, answer]));
  const [lost, twice, moved, gap, swapped] = [...first.values()] as [Answer, Answer, Answer, Answer, Answer];
  const where = (answer: Answer) => sql`conversation_id = (select id from conversations
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
  await sql`update messages set question_seq = question_seq + 2 where nonce = ${swapped.nonce}`.execute(database.db);
  const found = await checkHistory(
    database.ownerUrl,
    CONVERSATION_HISTORY,
    answers.map((answer) => (answer === moved ? { ...answer, seq: 77 } : answer)),
  );
  expect(found.acknowledged).toEqual({ answer: PEOPLE * 3 });
  // The gaps are the hole, and the number that was skipped for the twin.
  expect(found.faults).toEqual({ lost: 1, duplicated: 1, wrongSeq: 1, wrongQuestion: 1, withGaps: 2 });
  expect(found.samples.join('\n')).toContain(`lost: answer ${lost.nonce}`);
});

test('an export that breaks off, lacks a field or lacks rows is wrong', () => {
  const header = '\uFEFFat,campaign,team,employee,email,question,answer,sentiment\r\n';
  const row = 'now,Weekly,"Field, North",Ann,a@a.test,How?,"so ""so""\nreally",0.5\r\n';
  const call = (args: object): CheckCall => ({ name: 'answers-csv', args: { ...args } });
  const csv = (text: string, args = {}) => checkBody(CONVERSATION_CHECKS, call(args), text);
  expect(csv(header + row + row, { rows: 2 })).toBeUndefined();
  expect(csv(header)).toBeUndefined();
  expect(csv(header + row + row.slice(0, -1))).toBe('the file breaks off after row 1');
  expect(csv(header + row.slice(0, 20))).toBe('the file breaks off after row 0');
  expect(csv(`${header}a,b,c\r\n`)).toBe('row 1 has 3 fields, not 8');
  expect(csv(header + row, { rows: 2 })).toBe('1 rows where there are 2');
  expect(csv('at,campaign\r\n')).toBe('another header than promised');
});
