import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answerTexts, TEXTS_PER_TONE } from '../../scripts/seed/answer-texts.ts';
import { SEED_LOGIN, type Seeded, seed } from '../../scripts/seed.ts';
import type { Db } from '../../src/db/database.ts';
import { createPasswordHasher } from '../../src/http/password-hashing.ts';
import { scoreSentiment } from '../../src/modules/conversations/sentiment.ts';
import { createTestDatabase } from '../database.ts';

type TestDatabase = Awaited<ReturnType<typeof createTestDatabase>>;

const SCALE = 0.02;
const NOW = new Date('2026-11-21T15:30:00Z');

describe('a seeded database', () => {
  let database: TestDatabase;
  let db: Db;
  let seeded: Seeded;
  beforeAll(async () => {
    database = await createTestDatabase();
    db = database.db;
    seeded = await seed(database.ownerUrl, { scale: SCALE, now: NOW });
  });
  afterAll(() => database.close());

  test('has ten organisations, the employees of the scale and 8 to 20 teams in each', async () => {
    expect(seeded).toMatchObject({ organisations: 10, employees: 30_000 * SCALE });
    expect(await count(db, 'employees')).toBe(seeded.employees);
    expect(await count(db, 'reach_outs')).toBe(seeded.reachOuts);
    expect(await count(db, 'conversations')).toBe(seeded.conversations);
    expect(await count(db, 'messages')).toBe(seeded.messages);
    expect(seeded.messages / (300_000 * SCALE)).toBeGreaterThan(0.85);
    expect(seeded.messages / (300_000 * SCALE)).toBeLessThan(1.15);
    const teams = await all<{ teams: string }>(db, sql`select count(*) as teams from teams group by org_id`);
    expect(teams).toHaveLength(10);
    for (const row of teams) {
      expect(Number(row.teams)).toBeGreaterThanOrEqual(8);
      expect(Number(row.teams)).toBeLessThanOrEqual(20);
    }
  });

  test('lets the owner of Water Bear Works sign in', async () => {
    const owner = await db
      .selectFrom('users')
      .innerJoin('organisations', 'organisations.id', 'users.org_id')
      .where('email', '=', SEED_LOGIN.email)
      .select(['password_hash', 'role', 'organisations.name'])
      .executeTakeFirstOrThrow();
    expect(owner).toMatchObject({ role: 'owner', name: 'Water Bear Works' });
    expect(await createPasswordHasher().verify(SEED_LOGIN.password, owner.password_hash)).toBe(true);
  });

  test('has mood days that equal the roll-up of the answers', async () => {
    const differences = await all(
      db,
      sql`
        with rolled_up as (
          select m.org_id, (m.created_at at time zone 'UTC')::date as day, v.team_id, count(*)::int as answers,
            sum(m.sentiment::double precision)::real as score_sum
          from messages m join conversations v on v.org_id = m.org_id and v.id = m.conversation_id
          where m.sender = 'employee' group by 1, 2, 3
        )
        (table rolled_up except select org_id, day, team_id, answers, score_sum from mood_days)
        union all (select org_id, day, team_id, answers, score_sum from mood_days except table rolled_up)`,
    );
    expect(differences).toEqual([]);
    expect(await count(db, 'mood_days')).toBeGreaterThan(100);
  });

  test('has the progress counters that the ledger and the conversations give', async () => {
    const differences = await all(
      db,
      sql`
        select p.* from campaign_progress p
        where (recipients, sent, failed, skipped) <> (
            select count(*)::int, count(*) filter (where status = 'sent')::int, count(*) filter (where status = 'failed')::int,
              count(*) filter (where status not in ('sent', 'failed'))::int
            from reach_outs r where r.org_id = p.org_id and r.campaign_id = p.campaign_id)
          or (opened, finished, answers) <> (
            select count(*)::int, count(finished_at)::int, coalesce(sum(answers), 0)::int
            from conversations v where v.org_id = p.org_id and v.campaign_id = p.campaign_id)`,
    );
    expect(differences).toEqual([]);
    expect(await count(db, 'campaign_progress')).toBe(await count(db, 'campaigns'));
  });

  test('has conversations whose messages are numbered without a gap and add up to what the conversation says', async () => {
    const differences = await all(
      db,
      sql`
        select v.id from conversations v
        join campaigns c on c.org_id = v.org_id and c.id = v.campaign_id
        join lateral (
          select count(*) as messages, min(seq) as first, max(seq) as last, count(sentiment) as answers, max(created_at) as last_at,
            sum(sentiment::double precision)::real as score_sum, count(*) filter (where (sender = 'bot') = (seq % 2 = 1)) as in_turn
          from messages where org_id = v.org_id and conversation_id = v.id
        ) as m on true
        where (m.first, m.last, m.messages, m.in_turn) is distinct from (1, v.last_seq, v.last_seq, v.last_seq)
          or (m.answers, m.answers + 1, m.last_at) is distinct from (v.answers, v.step, v.last_message_at)
          or coalesce(m.score_sum, 0) <> v.score_sum
          or (v.finished_at is not null) <> (v.answers = cardinality(c.questions))`,
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
    expect(answers.filter(({ body, sentiment }) => scoreSentiment(body) !== sentiment)).toEqual([]);
  });

  test('ends today, and nothing in it lies in the future', async () => {
    const [span] = await all(
      db,
      sql`select min(day)::text as first, max(day)::text as last, (select max(created_at) <= ${NOW} from messages) as past from mood_days`,
    );
    expect(span).toEqual({ first: '2026-08-24', last: '2026-11-21', past: true });
  });

  test('keeps every reference, though its foreign keys were not checked on the way', async () => {
    const keys = await all<{ query: string }>(
      db,
      sql`
        select format('select count(*) as broken from %s as child where row(%s) is not null and not exists (select from %s as parent where (%s) = (%s))',
          conrelid::regclass,
          (select string_agg(format('child.%I', attname), ', ') from pg_attribute where attrelid = conrelid and attnum = any (conkey)),
          confrelid::regclass,
          (select string_agg(format('child.%I', attname), ', ' order by n) from unnest(conkey) with ordinality as k (num, n) join pg_attribute on attrelid = conrelid and attnum = num),
          (select string_agg(format('parent.%I', attname), ', ' order by n) from unnest(confkey) with ordinality as k (num, n) join pg_attribute on attrelid = confrelid and attnum = num)) as query
        from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace`,
    );
    expect(keys.length).toBeGreaterThan(10);
    for (const { query } of keys)
      expect([query, (await all(db, sql.raw(query)))[0]]).toEqual([
        query,
        { broken: expect.toSatisfy((n) => Number(n) === 0) },
      ]);
  });

  test('takes new rows: the ids go on after the seeded ones', async () => {
    const organisation = await db
      .insertInto('organisations')
      .values({ name: 'New' })
      .returning('id')
      .executeTakeFirstOrThrow();
    const team = await db.selectFrom('teams').orderBy('org_id').limit(1).selectAll().executeTakeFirstOrThrow();
    const employee = await db
      .insertInto('employees')
      .values({ org_id: team.org_id, team_id: team.id, email: 'new@tardigrade.test', name: 'New Here' })
      .returning('id')
      .executeTakeFirstOrThrow();
    expect(Number(organisation.id)).toBe(11);
    expect(Number(employee.id)).toBe(seeded.employees + 1);
  });

  test('is not seeded twice, and the refusal says what to do', async () => {
    await expect(seed(database.ownerUrl, { scale: SCALE, now: NOW })).rejects.toThrow(
      /Water Bear Works.*npm run reset/,
    );
    expect(await count(db, 'messages')).toBe(seeded.messages);
  });
});

test('the same scale and moment give the same rows', async () => {
  const [first, second] = [await fingerprints(), await fingerprints()];
  expect(Object.keys(first)).toHaveLength(9);
  expect(second).toEqual(first);
});

test('a seed that fails leaves nothing', async () => {
  const database = await createTestDatabase();
  try {
    await sql`alter table mood_days add constraint impossible check (answers < 0)`.execute(database.db);
    await expect(seed(database.ownerUrl, { scale: SCALE, now: NOW })).rejects.toThrow(/impossible/);
    expect(await count(database.db, 'organisations')).toBe(0);
    expect(await count(database.db, 'messages')).toBe(0);
  } finally {
    await database.close();
  }
});

test('an answer text sounds as it scores', () => {
  for (const tone of ['negative', 'neutral', 'positive'] as const) {
    const texts = answerTexts().filter((text) => text.tone === tone);
    expect(texts).toHaveLength(3 * TEXTS_PER_TONE);
    for (const { body } of texts) {
      const score = scoreSentiment(body);
      const sounds = score > 0.2 ? 'positive' : score < -0.2 ? 'negative' : 'neutral';
      // A mild text may count as neutral, but none sounds like the opposite.
      expect([body, sounds === tone || Math.abs(score) <= 0.2]).toEqual([body, true]);
      if (tone !== 'neutral') expect([body, Math.sign(score)]).toEqual([body, tone === 'positive' ? 1 : -1]);
    }
  }
});

/** One hash per table, of all its rows; without the salted hashes of the passwords. */
async function fingerprints(): Promise<Record<string, unknown>> {
  const database = await createTestDatabase();
  try {
    await seed(database.ownerUrl, { scale: SCALE, now: NOW });
    const tables = ['organisations', 'teams', 'employees', 'campaigns', 'campaign_progress'];
    const result: Record<string, unknown> = {};
    for (const table of [...tables, 'reach_outs', 'conversations', 'messages', 'mood_days']) {
      const rows = await all(
        database.db,
        sql`select md5(string_agg(line, ';' order by line)) as hash from (select (t.*)::text as line from ${sql.table(table)} t) as lines`,
      );
      result[table] = rows[0];
      expect(rows[0]).toEqual({ hash: expect.stringMatching(/^[0-9a-f]{32}$/) });
    }
    return result;
  } finally {
    await database.close();
  }
}

async function count(db: Db, table: string): Promise<number> {
  const [row] = await all<{ count: string }>(db, sql`select count(*) from ${sql.table(table)}`);
  return Number(row?.count);
}

async function all<R = Record<string, unknown>>(db: Db, query: ReturnType<typeof sql>): Promise<R[]> {
  return (await query.execute(db)).rows as R[];
}
