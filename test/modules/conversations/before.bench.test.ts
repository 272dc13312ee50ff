import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startLoad } from '../../../bench/load/start-load.ts';
import { SOCKETS, type SocketsPlan } from '../../../bench/modules/conversations/sockets-plan.ts';
import { superviseWorker } from '../../../scripts/embedded/supervise.ts';
import { createPasswordHasher } from '../../../src/http/password-hashing.ts';
import { campaignById } from '../../../src/modules/campaigns/queries.ts';
import { scoreText } from '../../../src/modules/conversations/sentiment.ts';
import { start as startApi } from '../../../workers/api.ts';
import { start as startChat } from '../../../workers/chat.ts';
import { start as startMailer } from '../../../workers/mailer.ts';
import { call, createClient } from '../../api-client.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { mailsTo } from '../../mails.ts';
import { addOrganisation } from '../../organisation.ts';
import { emptyRedis, startWorker, testEnvironment } from '../../worker.ts';
import { addDraft, countedInLedger } from '../campaigns/drafts.ts';
import { addEmployees } from '../employees/people.ts';
import { invite } from './invitations.ts';

const BEFORE = join(import.meta.dirname, '..', '..', '..', 'bench', 'modules', 'conversations', 'before', 'main.ts');
const PASSWORD = 'a long enough password';
const folder = mkdtempSync(join(tmpdir(), 'tardigrade-before-'));
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await emptyRedis();
});

afterAll(async () => {
  await database.close();
  rmSync(folder, { recursive: true });
});

interface Running {
  readonly apiUrl: string;
  readonly chatUrl: string;
}

/** In a process of its own, until the test ends. */
async function startBefore(parts: string, steps = ''): Promise<Running> {
  const env = await testEnvironment(database);
  const { API_URL: apiUrl = '', CHAT_URL: chatUrl = '', MAILER_PORT: mailerPort } = env;
  const ready: Record<string, string> = { api: apiUrl, chat: chatUrl, mailer: `http://127.0.0.1:${mailerPort}` };
  const worker = await superviseWorker({
    folder,
    name: `before-${randomBytes(4).toString('hex')}`,
    command: process.execPath,
    args: [BEFORE, `--parts=${parts}`, `--steps=${steps}`],
    env: { ...env, DATABASE_MIGRATE_URL: database.ownerUrl },
    readyUrl: `${ready[parts.split(',')[0] as string]}/readyz`,
    restart: false,
  });
  onTestFinished(worker.stop);
  return { apiUrl, chatUrl };
}

async function startProductChat(): Promise<Running> {
  const environment = await testEnvironment(database);
  const chat = await startWorker('chat', startChat, environment);
  onTestFinished(async () => void (await chat.stop()));
  return { apiUrl: '', chatUrl: chat.config.chatUrl };
}

const PEOPLE = 12;
const ANSWERS = PEOPLE * 3;

/** Everybody answers everything; then what is stored, without what differs by chance or is scored later. */
async function storedAfterAnswers({ chatUrl }: Running) {
  const people = await invite(database, PEOPLE);
  const { orgId, campaignId } = people[0] as (typeof people)[number];
  const plan: SocketsPlan = {
    kind: SOCKETS,
    url: chatUrl,
    tokens: people.map(({ token }) => token),
    connectSeconds: 0.2,
    mode: 'steady',
    pace: { kind: 'think', minMs: 5, maxMs: 30 },
    seconds: 10,
    seed: 7,
  };
  const figures = await startLoad(plan).figures;
  expect(figures).toMatchObject({ finished: PEOPLE, acknowledged: ANSWERS, wrong: 0, failed: 0 });
  const { rows: messages } = await sql<object>`
    select e.name, m.seq, m.sender, case m.sender when 'bot' then m.body else 'an answer' end as body,
      m.nonce is not null as named, m.question_seq, m.asks
    from messages m
    join conversations v on v.org_id = m.org_id and v.id = m.conversation_id
    join employees e on e.org_id = v.org_id and e.id = v.employee_id
    where m.org_id = ${orgId} order by e.id, m.seq`.execute(database.db);
  const { rows: conversations } = await sql<object>`
    select e.name, v.last_seq, v.step, v.answers, v.waiting_for, v.finished_at is not null as finished, v.team_id = e.team_id as "inTeam"
    from conversations v join employees e on e.org_id = v.org_id and e.id = v.employee_id
    where v.org_id = ${orgId} order by e.id`.execute(database.db);
  const { rows: progress } = await sql<object>`
    select opened, answers, finished from campaign_progress where org_id = ${orgId} and campaign_id = ${campaignId}`.execute(
    database.db,
  );
  return { orgId, stored: { messages, conversations, progress } };
}

describe('the same product written the usual way', () => {
  test.each(['', 'groups'])('stores what the product stores after the same answers (steps: %s)', async (steps) => {
    const product = await storedAfterAnswers(await startProductChat());
    const before = await storedAfterAnswers(await startBefore('chat', steps));
    expect(before.stored).toEqual(product.stored);
    expect(before.stored.messages).toHaveLength(PEOPLE * 7);
    expect(before.stored.progress).toEqual([{ opened: PEOPLE, answers: ANSWERS, finished: PEOPLE }]);
  });

  test.each(['', 'groups'])('scores each answer and counts it in the mood of the day (steps: %s)', async (steps) => {
    const { orgId } = await storedAfterAnswers(await startBefore('chat', steps));
    const { rows: answers } = await sql<{ body: string; sentiment: number | null }>`
      select body, sentiment from messages where org_id = ${orgId} and sender = 'employee'`.execute(database.db);
    const scores = answers.map(({ sentiment }) => sentiment).filter((sentiment) => sentiment !== null);
    for (const { body, sentiment } of answers) expect(sentiment).toEqual(closeTo(scoreText(body)));
    const total = scores.reduce((sum, sentiment) => sum + sentiment, 0);
    for (const table of ['mood_days', 'conversations']) {
      const { rows } = await sql<object>`
        select sum(answers)::int as answers, sum(scored)::int as scored, sum(score_sum)::float8 as score
        from ${sql.table(table)} where org_id = ${orgId}`.execute(database.db);
      expect(rows[0]).toEqual({ answers: ANSWERS, scored: scores.length, score: closeTo(total, 3) });
    }
  });

  test('shows on the dashboard what the product shows', async () => {
    const environment = await testEnvironment(database);
    const api = await startWorker('api', startApi, environment);
    onTestFinished(async () => void (await api.stop()));
    const before = await startBefore('api,chat');
    const { orgId } = await storedAfterAnswers(before);
    const paged = await startBefore('api', 'replica,pages');
    const signedIn = await signIn(before, orgId);
    for (const path of [
      '/api/v1/me',
      '/api/v1/summary',
      '/api/v1/campaigns',
      '/api/v1/conversations',
      '/api/v1/employees',
    ]) {
      const asked = async (url: string) => (await createClient(url, signedIn, orgId).get(path)).body;
      const [expected] = withoutTimes([await asked(api.config.apiUrl)]);
      const [whole] = withoutTimes([await asked(before.apiUrl)]);
      expect(expected, path).toMatchObject(whole as object);
      await until(`the replica has caught up: ${path}`, async () => {
        const [page] = withoutTimes([await asked(paged.apiUrl)]);
        return JSON.stringify(page) === JSON.stringify(whole);
      });
    }
  });

  test('shows whole lists, and with the step `pages` one page after the other', async () => {
    const whole = await startBefore('api');
    const paged = await startBefore('api', 'pages');
    const orgId = await addOrganisation(database.db);
    await addEmployees(database.db, orgId, 60, 'lists.before.test');
    const token = await signIn(whole, orgId);
    type Page = { items: { id: number }[]; nextCursor: string | null };
    const all = await createClient(whole.apiUrl, token, orgId).get<Page>('/api/v1/employees?limit=50');
    const first = await createClient(paged.apiUrl, token, orgId).get<Page>('/api/v1/employees?limit=50');
    const cursor = encodeURIComponent(first.body.nextCursor ?? '');
    const second = await createClient(paged.apiUrl, token, orgId).get<Page>(
      `/api/v1/employees?limit=50&cursor=${cursor}`,
    );
    expect([all.body.items.length, first.body.items.length, second.body.items.length]).toEqual([60, 50, 10]);
    expect([...first.body.items, ...second.body.items]).toEqual(all.body.items);
  });

  test.each([
    ['its own loop', 'api,mailer'],
    ["the product's mailer", 'api'],
  ])('a campaign that it launches goes to everybody once, by %s, and the ledger says so', async (_, parts) => {
    const domain = `${randomBytes(4).toString('hex')}.before.test`;
    if (!parts.includes('mailer')) {
      const mailer = await startWorker('mailer', startMailer, await testEnvironment(database));
      onTestFinished(async () => void (await mailer.stop()));
    }
    const before = await startBefore(parts);
    const orgId = await addOrganisation(database.db);
    await addEmployees(database.db, orgId, 30, domain);
    const { id } = await addDraft(database.database, orgId);
    const client = createClient(before.apiUrl, await signIn(before, orgId), orgId);
    expect((await client.send('POST', `/api/v1/campaigns/${id}/launch`)).status).toBe(202);
    const isDone = async () => (await campaignById(database.db, orgId, id))?.status === 'done';
    await until('the campaign is done', isDone);
    const mails = await mailsTo(domain);
    expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(30);
    expect(mails).toHaveLength(30);
    expect(await countedInLedger(database.db, orgId, id)).toEqual({ recipients: 30, sent: 30, failed: 0, skipped: 0 });
    const shown = await client.get<{ progress: object }>(`/api/v1/campaigns/${id}`);
    expect(shown.body.progress).toMatchObject({ recipients: 30, sent: 30, failed: 0 });
  });
});

/** A real has six digits. */
function closeTo(value: number | null, digits = 5): unknown {
  return value === null ? null : expect.closeTo(value, digits);
}

/** As somebody new of this organisation. */
async function signIn({ apiUrl }: Running, orgId: number): Promise<string> {
  const email = `admin-${randomBytes(6).toString('hex')}@example.test`;
  const password_hash = await createPasswordHasher().hash(PASSWORD);
  const user = { org_id: orgId, email, name: 'Ada Admin', role: 'admin', password_hash } as const;
  await database.db.insertInto('users').values(user).execute();
  const body = { email, password: PASSWORD };
  const answer = await call<{ token: string }>(apiUrl, 'POST', '/api/v1/sessions', { body, headers: {} });
  expect(answer.status).toBe(201);
  return answer.body.token;
}

/** The product writes microseconds. */
function withoutTimes(value: unknown): unknown[] {
  return JSON.parse(JSON.stringify(value), (key, part) => (key.endsWith('At') ? undefined : part)) as unknown[];
}
