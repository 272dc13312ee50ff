import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seed } from '../../../scripts/seed.ts';
import { MOOD_GROUP_MIN } from '../../../src/modules/mood/limits.ts';
import type { ApiClient } from '../../api-client.ts';
import { type RunningApi, runApi } from '../../running-api.ts';

type Day = { day: string; mood: number; answers: number };
type Mood = {
  from: string;
  to: string;
  groupMin: number;
  organisation: Day[];
  teams: { id: number; name: string; days: Day[] }[];
};

const ORG = 2;

let api: RunningApi;
let viewer: ApiClient;
beforeAll(async () => {
  api = await runApi();
  await seed(api.database.ownerUrl, { scale: 0.02 });
  const admin = await api.signedIn(ORG, 'admin');
  viewer = await api.signedIn(ORG, 'viewer');
  const written = await admin.send('POST', '/api/v1/imports', { fileName: 'a.csv' });
  await viewer.get('/api/v1/me');
  viewerReadAfter = written.headers.get('read-after') as string;
});
afterAll(() => api.stop());

let viewerReadAfter = '';
async function get<T>(path: string): Promise<{ status: number; body: T }> {
  const response = await fetch(api.url + path, {
    headers: { authorization: `Bearer ${viewer.token}`, 'read-after': viewerReadAfter },
  });
  return { status: response.status, body: (await response.json()) as T };
}

test('the mood of every day and team equals what the messages say', async () => {
  const { from, to } = await spanOf(60);
  const { body } = await get<Mood>(`/api/v1/mood?from=${from}&to=${to}`);
  expect(body).toMatchObject({ from, to, groupMin: MOOD_GROUP_MIN });
  const truth = await moodOfMessages(from, to);
  expect(body.organisation.length).toBeGreaterThan(5);
  expect(body.teams.length).toBeGreaterThan(2);
  expect(saidOf(body.organisation)).toEqual(closeTo(truth.filter(({ team_id }) => team_id === null)));
  for (const team of body.teams) {
    expect(saidOf(team.days), team.name).toEqual(closeTo(truth.filter(({ team_id }) => team_id === team.id)));
  }
});

test('the key figures are those of the tables, of this organisation alone', async () => {
  const { rows } = await sql<object>`
    select (select count(*) from employees where org_id = ${ORG}) as employees,
      (select count(*) from teams where org_id = ${ORG}) as teams,
      (select count(*) from campaigns where org_id = ${ORG} and status = 'sending') as "campaignsSending",
      (select count(*)::int from messages where org_id = ${ORG} and sender = 'employee'
        and (created_at at time zone 'utc')::date = (now() at time zone 'utc')::date) as "answersToday",
      (select count(*)::int from conversations where org_id = ${ORG} and finished_at is null
        and started_at > now() - interval '1 day') as "openConversations"`.execute(api.database.db);
  expect((await get('/api/v1/summary')).body).toMatchObject(rows[0] as object);
});

/** Straight from the messages, past the roll-up that the page reads. */
async function moodOfMessages(from: string, to: string) {
  const { rows } = await sql<Day & { team_id: number | null }>`
    select v.team_id, (m.created_at at time zone 'utc')::date::text as day, count(*)::int as answers,
      avg(m.sentiment::float8) as mood
    from messages m join conversations v on v.org_id = m.org_id and v.id = m.conversation_id
    where m.org_id = ${ORG} and m.sender = 'employee'
      and (m.created_at at time zone 'utc')::date between ${from}::date and ${to}::date
    group by grouping sets ((2), (v.team_id, 2)) having count(m.sentiment) >= ${MOOD_GROUP_MIN}
    order by day`.execute(api.database.db);
  return rows;
}

const saidOf = (days: Day[]) => days.map(({ day, answers, mood }) => ({ day, answers, mood }));

/** Equal but for what rounding makes of it, on whichever side of a digit it falls. */
const closeTo = (days: Day[]) =>
  days.map(({ day, answers, mood }) => ({ day, answers, mood: expect.closeTo(mood, 2) }));

async function spanOf(days: number) {
  const to = new Date();
  const from = new Date(to.getTime() - (days - 1) * 86_400_000);
  return { from: from.toISOString().slice(0, 10), to: to.toISOString().slice(0, 10) };
}
