import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MOOD_DAYS_MAX, MOOD_GROUP_MIN } from '../../../src/modules/mood/limits.ts';
import type { ApiClient } from '../../api-client.ts';
import { type RunningApi, runApi } from '../../running-api.ts';

type Day = { day: string; mood: number; answers: number; scored: number };
type Mood = {
  from: string;
  to: string;
  groupMin: number;
  organisation: Day[];
  teams: { id: number; name: string; days: Day[] }[];
};

const DAYS = 60;

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi();
  owner = await api.newOwner();
  await addMoodDays(owner.orgId, ['Support', 'Sales', 'Design']);
  await owner.send('POST', '/api/v1/imports', { fileName: 'a.csv' }); // from here on its reads see all of it
});
afterAll(() => api.stop());

const get = <T>(path: string) => owner.get<T>(path);

/** Groups of 1 to 9 scored answers by day and team, each with a mood of its own, and up to 2 more without a score. */
async function addMoodDays(orgId: number, teams: readonly string[]): Promise<void> {
  await sql`
    with added as (
      insert into teams (org_id, name) select ${orgId}::bigint, name from unnest(${teams}::text[]) as name returning id
    )
    insert into mood_days (org_id, day, team_id, answers, scored, score_sum)
    select ${orgId}::bigint, (now() at time zone 'utc')::date - ago, id, 1 + (ago + id) % 9 + ago % 3, 1 + (ago + id) % 9,
      (1 + (ago + id) % 9) * ((ago % 5) - 2) / 4.0
    from added, generate_series(0, ${DAYS - 1}::int) as ago`.execute(api.database.db);
}

test('the mood of a day is that of all answers, and each team has its own', async () => {
  const { from, to } = spanOf(DAYS);
  const { body } = await get<Mood>(`/api/v1/mood?from=${from}&to=${to}`);
  expect(body).toMatchObject({ from, to, groupMin: MOOD_GROUP_MIN });
  const rows = await rolledUp(owner.orgId);
  expect(body.organisation.length).toBeGreaterThan(50);
  expect(body.teams.map(({ name }) => name)).toEqual(['Design', 'Sales', 'Support']);
  expect(saidOf(body.organisation)).toEqual(closeTo(rows.filter(({ team_id }) => team_id === null)));
  for (const team of body.teams)
    expect(saidOf(team.days), team.name).toEqual(closeTo(rows.filter(({ team_id }) => team_id === team.id)));
});

test('a group of fewer scored answers than hide each single one is left out, however many others it has', async () => {
  const { from, to } = spanOf(MOOD_DAYS_MAX);
  const { body } = await get<Mood>(`/api/v1/mood?from=${from}&to=${to}`);
  const { rows } = await sql<{ team_id: number; day: string }>`
    select team_id, day::text as day from mood_days where org_id = ${owner.orgId} and scored < ${MOOD_GROUP_MIN}`.execute(
    api.database.db,
  );
  expect(rows.length).toBeGreaterThan(0);
  const shown = new Set(body.teams.flatMap(({ id, days }) => days.map(({ day }) => `${id} ${day}`)));
  expect(rows.filter(({ team_id, day }) => shown.has(`${team_id} ${day}`))).toEqual([]);
  expect(Math.min(...body.teams.flatMap(({ days }) => days.map(({ scored }) => scored)))).toBe(MOOD_GROUP_MIN);
});

test('the last four weeks are shown when nobody asks for others', async () => {
  const { body } = await get<Mood>('/api/v1/mood');
  expect(body.to).toBe(new Date().toISOString().slice(0, 10));
  expect((Date.parse(body.to) - Date.parse(body.from)) / 86_400_000).toBe(27);
});

test.each([
  'from=2026-02-30',
  'from=2026-13-01',
  'to=0000-01-01',
  'to=9999-99-99',
  'from=2026-03-02&to=2026-03-01',
  'from=2026-01-01&to=2026-04-03',
  'from=yesterday',
])('%s is refused', async (query) => {
  expect((await get(`/api/v1/mood?${query}`)).status).toBe(400);
});

test.each(['2026-02-30', '12/01/2027', '2026-W10-1', '+275760-09-13', '2026-03-01T00:00:00Z', '2026-3-1'])(
  'the day %s is refused in words',
  async (day) => {
    const { status, body } = await get<{ detail: string }>(`/api/v1/mood?from=${encodeURIComponent(day)}`);
    expect(status).toBe(400);
    expect(body.detail).toBe(`"${day}" is not a valid date. Write it like 2027-01-31.`);
  },
);

test('the reference says that days are counted in UTC, wherever it shows one', async () => {
  const { paths } = (await get<{ paths: Record<string, { get: unknown }> }>('/docs/openapi.json')).body;
  const mood = JSON.stringify(paths['/api/v1/mood']?.get);
  expect(mood).toContain('by UTC days');
  expect(mood.match(/a day in UTC, YYYY-MM-DD/g)).toHaveLength(2);
  expect(mood.match(/"YYYY-MM-DD, UTC"/g)).toHaveLength(2);
  const summary = JSON.stringify(paths['/api/v1/summary']?.get);
  expect(summary).toContain('since midnight UTC');
  expect(summary.match(/of one day in UTC/g)).toHaveLength(2);
});

test('the longest range is answered', async () => {
  expect((await get('/api/v1/mood?from=2026-01-01&to=2026-04-02')).status).toBe(200);
});

test('today’s mood stays hidden until enough answers have a score', async () => {
  const fresh = await api.newOwner();
  const { db } = api.database;
  const { id: team_id } = await db
    .insertInto('teams')
    .values({ org_id: fresh.orgId, name: 'T' })
    .returning('id')
    .executeTakeFirstOrThrow();
  const today = new Date().toISOString().slice(0, 10);
  const scored = async (count: number) => {
    await sql`insert into mood_days (org_id, day, team_id, answers, scored, score_sum)
      values (${fresh.orgId}, ${today}, ${team_id}, 9, ${count}, ${count * 0.5})
      on conflict (org_id, day, team_id) do update set scored = excluded.scored, score_sum = excluded.score_sum`.execute(
      db,
    );
    await fresh.send('POST', '/api/v1/imports', { fileName: 'a.csv' });
    return (await fresh.get('/api/v1/summary')).body;
  };
  expect(await scored(MOOD_GROUP_MIN - 1)).toMatchObject({ answersToday: 9, moodToday: null });
  expect(await scored(MOOD_GROUP_MIN)).toMatchObject({
    answersToday: 9,
    moodToday: 0.5,
    moodWeekAgo: null,
  });
});

/** Row by row, past the query of the page. */
async function rolledUp(orgId: number) {
  const { rows } = await sql<Day & { team_id: number | null }>`
    select team_id, day::text as day, sum(answers)::int as answers,
      sum(scored)::int as scored, sum(score_sum) / sum(scored) as mood
    from mood_days where org_id = ${orgId}
    group by grouping sets ((day), (team_id, day)) having sum(scored) >= ${MOOD_GROUP_MIN}
    order by day`.execute(api.database.db);
  return rows;
}

const saidOf = (days: Day[]) => days.map(({ day, answers, scored, mood }) => ({ day, answers, scored, mood }));

/** Equal but for what rounding makes of it, on whichever side of a digit it falls. */
const closeTo = (days: Day[]) =>
  days.map(({ day, answers, scored, mood }) => ({ day, answers, scored, mood: expect.closeTo(mood, 2) }));

function spanOf(days: number) {
  const to = new Date();
  const from = new Date(to.getTime() - (days - 1) * 86_400_000);
  return { from: from.toISOString().slice(0, 10), to: to.toISOString().slice(0, 10) };
}
