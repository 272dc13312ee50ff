import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Seeded, seed } from '../../../scripts/seed.ts';
import type { Db } from '../../../src/db/schema.ts';
import { answerTexts, TEXTS_PER_TONE } from '../../../src/modules/conversations/seed-answer-texts.ts';
import { scoreText } from '../../../src/modules/conversations/sentiment.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';

const SCALE = 0.02;
const NOW = new Date('2026-11-21T15:30:00Z');

let database: TestDatabase;
let db: Db;
let seeded: Seeded;
beforeAll(async () => {
  database = await createTestDatabase({ replica: false });
  db = database.db;
  seeded = await seed(database.ownerUrl, { scale: SCALE, now: NOW });
});
afterAll(() => database.close());

test('has the conversations and the messages of the scale', async () => {
  expect(await count(db, 'conversations')).toBe(seeded['conversations']);
  expect(await count(db, 'messages')).toBe(seeded['messages']);
  const share = Number(seeded['messages']) / (300_000 * SCALE);
  expect(share).toBeGreaterThan(0.85);
  expect(share).toBeLessThan(1.15);
});

test('has mood days that equal the roll-up of the answers', async () => {
  const differences = await all(
    db,
    sql`
      with rolled_up as (
        select m.org_id, (m.created_at at time zone 'UTC')::date as day, v.team_id, count(*)::int as answers,
          count(m.sentiment)::int as scored, sum(m.sentiment::double precision) as score_sum
        from messages m join conversations v on v.org_id = m.org_id and v.id = m.conversation_id
        where m.sender = 'employee' group by 1, 2, 3
      )
      (table rolled_up except select org_id, day, team_id, answers, scored, score_sum from mood_days)
      union all (select org_id, day, team_id, answers, scored, score_sum from mood_days except table rolled_up)`,
  );
  expect(differences).toEqual([]);
  expect(await count(db, 'mood_days')).toBeGreaterThan(100);
});

test('has the progress counters that the conversations give', async () => {
  const differences = await all(
    db,
    sql`
      select p.* from campaign_progress p
      where (opened, finished, answers) <> (
        select count(*)::int, count(finished_at)::int, coalesce(sum(answers), 0)::int
        from conversations v where v.org_id = p.org_id and v.campaign_id = p.campaign_id)`,
  );
  expect(differences).toEqual([]);
});

test('has conversations whose messages are numbered without a gap and add up to what the conversation says', async () => {
  const differences = await all(
    db,
    sql`
      select v.id from conversations v
      join campaigns c on c.org_id = v.org_id and c.id = v.campaign_id
      join lateral (
        select count(*) as messages, min(seq) as first, max(seq) as last, count(sentiment) as answers, max(created_at) as last_at,
          sum(sentiment::double precision)::real as score_sum, count(*) filter (where (sender = 'bot') = (seq % 2 = 1)) as in_turn,
          max(seq) filter (where asks is not null) as asked, count(*) filter (where question_seq = seq - 1) as paired,
          count(*) filter (where unscored) as unscored
        from messages where org_id = v.org_id and conversation_id = v.id
      ) as m on true
      where (m.first, m.last, m.messages, m.in_turn) is distinct from (1, v.last_seq, v.last_seq, v.last_seq)
        or (m.answers, m.answers + 1, m.last_at) is distinct from (v.answers, v.step, v.last_message_at)
        or (m.answers, m.answers, 0) is distinct from (v.scored, m.paired, m.unscored)
        or coalesce(m.score_sum, 0) <> v.score_sum
        or (v.finished_at is not null) <> (v.answers = jsonb_array_length(c.questions))
        or v.waiting_for is distinct from case when v.finished_at is null then m.asked end`,
  );
  expect(differences).toEqual([]);
});

test('scores every answer as the product would', async () => {
  const answers = await db
    .selectFrom('messages')
    .where('sender', '=', 'employee')
    .select(['body', 'sentiment'])
    .distinct()
    .execute();
  expect(answers.length).toBeGreaterThan(100);
  expect(answers.filter(({ body, sentiment }) => scoreText(body) !== sentiment)).toEqual([]);
});

test('ends today, and nothing in it lies in the future', async () => {
  const [span] = await all(
    db,
    sql`select min(day)::text as first, max(day)::text as last, (select max(created_at) <= ${NOW} from messages) as past from mood_days`,
  );
  expect(span).toEqual({ first: '2026-08-24', last: '2026-11-21', past: true });
});

test('an answer text sounds as it scores', () => {
  for (const tone of ['negative', 'neutral', 'positive'] as const) {
    const texts = answerTexts().filter((text) => text.tone === tone);
    expect(texts).toHaveLength(3 * TEXTS_PER_TONE);
    for (const { body } of texts) {
      const score = scoreText(body) ?? Number.NaN;
      const sounds = score > 0.2 ? 'positive' : score < -0.2 ? 'negative' : 'neutral';
      // A mild text may count as neutral, but none sounds like the opposite.
      expect([body, sounds === tone || Math.abs(score) <= 0.2]).toEqual([body, true]);
      if (tone !== 'neutral') expect([body, Math.sign(score)]).toEqual([body, tone === 'positive' ? 1 : -1]);
    }
  }
});

async function count(db: Db, table: string): Promise<number> {
  const [row] = await all<{ count: string }>(db, sql`select count(*) from ${sql.table(table)}`);
  return Number(row?.count);
}

async function all<R = Record<string, unknown>>(db: Db, query: ReturnType<typeof sql>): Promise<R[]> {
  return (await query.execute(db)).rows as R[];
}
