import { get } from 'node:http';
import { parse } from 'csv-parse/sync';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seed } from '../../../scripts/seed.ts';
import { EXPORTS_OF_ORGANISATION_MAX } from '../../../src/limits.ts';
import { type ApiClient, call } from '../../api-client.ts';
import { until } from '../../database.ts';
import { type RunningApi, runApi } from '../../running-api.ts';

interface Conversation {
  readonly id: number;
  readonly campaign: { id: number };
  readonly answers: number;
  readonly mood: number | null;
}
type Page = { items: Conversation[]; nextCursor: string | null };

const ORG = 2;
const HEADER = ['at', 'campaign', 'team', 'employee', 'email', 'question', 'answer', 'sentiment'];

let api: RunningApi;
let admin: ApiClient;
beforeAll(async () => {
  api = await runApi();
  await seed(api.database.ownerUrl, { scale: 0.02 });
  admin = await api.signedIn(ORG, 'admin');
  await admin.send('POST', '/api/v1/imports', { fileName: 'a.csv' }); // moves the reader's position behind the seed
});
afterAll(() => api.stop());

test('conversations come newest first, all of them once, over all pages', async () => {
  const seen = await allPages('limit=200');
  const { rows } = await sql<{ id: number }>`
    select id from conversations where org_id = ${ORG} order by id desc`.execute(api.database.db);
  expect(seen.length).toBeGreaterThan(200);
  expect(seen.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
});

test('those of one campaign are the whole list of that campaign', async () => {
  const [first] = (await admin.get<Page>('/api/v1/conversations?limit=1')).body.items;
  const campaign = first?.campaign.id as number;
  const seen = await allPages(`limit=50&campaignId=${campaign}`);
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from conversations where org_id = ${ORG} and campaign_id = ${campaign}`.execute(
    api.database.db,
  );
  expect(seen).toHaveLength(rows[0]?.count as number);
  expect(new Set(seen.map((one) => one.campaign.id))).toEqual(new Set([campaign]));
});

test('a conversation has its messages in order, and its mood is the mean of its scored answers', async () => {
  const listed = (await admin.get<Page>('/api/v1/conversations?limit=50')).body.items.find(
    ({ answers }) => answers > 1,
  );
  type Full = Conversation & { messages: { seq: number; sender: string; body: string; sentiment: number | null }[] };
  const { body } = await admin.get<Full>(`/api/v1/conversations/${listed?.id}`);
  const { messages, ...conversation } = body;
  expect(conversation).toEqual(listed);
  expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, index) => index + 1));
  const answers = messages.filter(({ sender }) => sender === 'employee').map(({ sentiment }) => sentiment as number);
  expect(answers).toHaveLength(conversation.answers);
  expect(conversation.mood).toBeCloseTo(answers.reduce((a, b) => a + b, 0) / answers.length, 2);
});

describe('the export', () => {
  const exported = async (query = '') => {
    const answer = await admin.get<string>(`/api/v1/exports/answers.csv${query}`);
    return { ...answer, rows: answer.status === 200 ? (parse(answer.body, { bom: true }) as string[][]) : [] };
  };

  test('of days that end before they begin is refused, instead of empty', async () => {
    expect(await exported('?from=2027-02-01&to=2027-01-31')).toMatchObject({
      status: 400,
      body: { detail: '`from` must not be later than `to`.' },
    });
  });

  test('has every answer once, with its question, in the order in which they were given', async () => {
    const { headers, rows } = await exported();
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(headers.get('content-disposition')).toMatch(/^attachment; filename="answers-[\d-]+\.csv"$/);
    expect(rows[0]).toEqual(HEADER);
    const truth = await sql<Record<string, string>>`
      select c.name as campaign, t.name as team, e.name as employee, e.email, q.body as question, m.body as answer
      from messages m
      join conversations v on v.org_id = m.org_id and v.id = m.conversation_id
      join campaigns c on c.id = v.campaign_id join teams t on t.id = v.team_id join employees e on e.id = v.employee_id
      join messages q on q.org_id = m.org_id and q.conversation_id = v.id and q.seq = m.question_seq
      where m.org_id = ${ORG} and m.sender = 'employee' order by m.created_at, v.id, m.seq`.execute(api.database.db);
    expect(rows.length - 1).toBe(truth.rows.length);
    expect(rows.slice(1).map((row) => row.slice(1, 7))).toEqual(truth.rows.map((row) => Object.values(row)));
  });

  test('takes the days that it is asked for, both ends included', async () => {
    const { rows } = await sql<{ day: string; count: number }>`
      select (created_at at time zone 'utc')::date::text as day, count(*)::int as count from messages
      where org_id = ${ORG} and sender = 'employee' group by 1 order by 1`.execute(api.database.db);
    const [first, second, last] = [rows[3], rows[4], rows[5]] as [(typeof rows)[0], (typeof rows)[0], (typeof rows)[0]];
    const some = await exported(`?from=${first.day}&to=${last.day}`);
    expect(some.rows.length - 1).toBe(first.count + second.count + last.count);
  });

  test('a job that asks for each day once has every answer once, whenever its conversation began', async () => {
    // A conversation that began yesterday, before midnight, and is answered today.
    const { rows: late } = await sql<{ body: string }>`
      with late as (
        select conversation_id, max(seq) as seq from messages
        where org_id = ${ORG} and sender = 'employee' group by conversation_id having count(*) > 1 limit 1
      )
      update messages m set body = 'a late answer', created_at = m.created_at + interval '1 day' from late
      where m.org_id = ${ORG} and m.conversation_id = late.conversation_id and m.seq = late.seq returning body`.execute(
      api.database.db,
    );
    expect(late).toHaveLength(1);
    await admin.send('POST', '/api/v1/imports', { fileName: 'a.csv' });
    const { rows: days } = await sql<{ day: string }>`
      select distinct (created_at at time zone 'utc')::date::text as day from messages
      where org_id = ${ORG} and sender = 'employee' order by 1`.execute(api.database.db);
    const byDay: string[][] = [];
    for (const { day } of days) {
      const { rows } = await exported(`?from=${day}&to=${day}`);
      expect(rows.slice(1).filter(([at]) => at?.slice(0, 10) !== day)).toEqual([]);
      byDay.push(...rows.slice(1));
    }
    const all = (await exported()).rows.slice(1);
    expect(all.length).toBeGreaterThan(200);
    expect(byDay).toEqual(all);
    expect(byDay.filter((row) => row.includes('a late answer'))).toHaveLength(1);
  });

  test.each(['?from=2026-02-30', '?to=2026-13-01', '?from=0000-01-01', '?to=yesterday'])(
    'refuses a day that is not in the calendar: %s',
    async (query) => {
      expect((await exported(query)).status).toBe(400);
    },
  );

  test('defuses formulas that somebody answered', async () => {
    await sql`update messages set body = '=HYPERLINK("http://evil.example")' where org_id = ${ORG} and sender = 'employee'
      and (conversation_id, seq) = (select conversation_id, min(seq) from messages where org_id = ${ORG}
        and sender = 'employee' group by conversation_id order by conversation_id limit 1)`.execute(api.database.db);
    await admin.send('POST', '/api/v1/imports', { fileName: 'a.csv' });
    const answers = (await exported()).rows.map((row) => row[6]);
    expect(answers).toContain(`'=HYPERLINK("http://evil.example")`);
    expect(answers.filter((answer) => answer?.startsWith('='))).toEqual([]);
  });

  test('that is broken off frees its place, whenever it is broken off', async () => {
    for (let round = 0; round < 3; round++) {
      await Promise.all(Array.from({ length: EXPORTS_OF_ORGANISATION_MAX }, (_, n) => abortedExport(n % 2 === 0)));
    }
    await until('nothing is in flight', () => api.gauge('requests_in_flight') === 0);
    const answers = await Promise.all(Array.from({ length: EXPORTS_OF_ORGANISATION_MAX }, () => exported()));
    expect(answers.map(({ status }) => status)).toEqual(Array(EXPORTS_OF_ORGANISATION_MAX).fill(200));
  });

  test('beyond so many at once is told to come back, and the others are served', async () => {
    const headers = { authorization: `Bearer ${admin.token}`, 'read-after': '4294967295:FFFFFFFF/FFFFFFFF' };
    const ask = () => call<string>(api.url, 'GET', '/api/v1/exports/answers.csv', { headers });
    const { running, refused } = await api.database.db.transaction().execute(async (transaction) => {
      await sql`lock table conversations in access exclusive mode`.execute(transaction);
      const running = Array.from({ length: EXPORTS_OF_ORGANISATION_MAX }, ask);
      await until('all of them run', () => api.gauge('requests_in_flight') === EXPORTS_OF_ORGANISATION_MAX);
      return { running, refused: await ask() };
    });
    expect(refused).toMatchObject({ status: 503, body: { code: 'overloaded' } });
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual(
      Array(EXPORTS_OF_ORGANISATION_MAX).fill(200),
    );
  });
});

/** Goes away with the first byte of the answer, or before it. */
function abortedExport(atOnce: boolean): Promise<void> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${admin.token}` };
    const request = get(`${api.url}/api/v1/exports/answers.csv`, { headers, agent: false });
    request.once('error', () => resolve());
    request.once('close', resolve);
    if (atOnce) request.once('finish', () => request.destroy());
    request.once('response', (response) => response.once('data', () => request.destroy()));
  });
}

async function allPages(query: string): Promise<Conversation[]> {
  const seen: Conversation[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const path: string = `/api/v1/conversations?${query}${cursor === '' ? '' : `&cursor=${cursor}`}`;
    const { body }: { body: Page } = await admin.get<Page>(path);
    seen.push(...body.items);
    cursor = body.nextCursor;
  }
  return seen;
}
