import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { EVERY_ORGANISATION } from '../../../src/db/tenant-isolation.ts';
import { createLog } from '../../../src/log.ts';
import { type AnswerContent, type AnswerQuestion, createAnswers } from '../../../src/modules/conversations/answers.ts';
import { SCORES_PER_COMMIT_MAX } from '../../../src/modules/conversations/limits.ts';
import { scoreAnswers } from '../../../src/modules/conversations/scoring.ts';
import { createMetrics } from '../../../src/process/metrics.ts';
import { asAdmin, createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { type Invitation, invite } from './invitations.ts';

let on: TestDatabase;
let answerQuestion: AnswerQuestion;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  answerQuestion = createAnswers(on.database, createMetrics('test'));
});
afterAll(() => on.close());
beforeEach(async () => {
  await score(); // what other tests left
});

const log = createLog('test', 'silent');
const score = (signal = new AbortController().signal) => scoreAnswers(on.database, log, signal);
const answer = (one: Invitation, nth: number, content: string | AnswerContent) =>
  answerQuestion(one, {
    nonce: `answer ${nth}`,
    questionSeq: 1 + 2 * nth,
    content: typeof content === 'string' ? { text: content } : content,
  });
async function answersOf(orgId: number) {
  const { rows } = await sql<{ body: string; sentiment: number | null; unscored: boolean }>`
    select body, sentiment, unscored from messages where org_id = ${orgId} and sender = 'employee' order by conversation_id, seq`.execute(
    on.db,
  );
  return rows;
}
async function countedOf(orgId: number) {
  const { rows } = await sql<Record<string, number>>`
    select (select sum(scored)::int from conversations where org_id = ${orgId}) as conversations,
      (select sum(score_sum)::float8 from conversations where org_id = ${orgId}) as score,
      sum(answers)::int as answers, sum(scored)::int as scored, sum(score_sum) as day_score
    from mood_days where org_id = ${orgId}`.execute(on.db);
  return rows[0];
}

test('an answer is stored without a score, and the next run of the job scores it and counts it', async () => {
  const [person] = (await invite(on, 1)) as [Invitation];
  await answer(person, 0, 'It was a great week');
  expect(await answersOf(person.orgId)).toMatchObject([{ sentiment: null, unscored: true }]);
  expect(await countedOf(person.orgId)).toMatchObject({ answers: null, conversations: 0 });
  expect(await score()).toBe(1);
  expect(await answersOf(person.orgId)).toMatchObject([{ sentiment: 0.6, unscored: false }]);
  expect(await countedOf(person.orgId)).toMatchObject({ answers: 1, scored: 1, conversations: 1 });
  expect(await score()).toBe(0);
});

test('an answer in a language that is not known has no score and leaves the mood; a tap counts in every language', async () => {
  const questions = ['Wie war die Woche?', 'How was it?', { text: 'Wie geht es dir?', answer: 'scale' as const }];
  const [person] = (await invite(on, 1, { questions })) as [Invitation];
  await answer(person, 0, 'Die Woche war gut');
  await answer(person, 1, 'terrible');
  await answer(person, 2, { choice: 2 });
  await score();
  expect(await answersOf(person.orgId)).toEqual([
    { body: 'Die Woche war gut', sentiment: null, unscored: false },
    { body: 'terrible', sentiment: expect.closeTo(-0.6), unscored: false },
    { body: '2 of 5', sentiment: -0.5, unscored: false },
  ]);
  expect(await countedOf(person.orgId)).toEqual({
    conversations: 2,
    score: expect.closeTo(-1.1),
    answers: 3,
    scored: 2,
    day_score: expect.closeTo(-1.1),
  });
});

test.each([1, 2, 3, 4, 5])('a tap on %i has a mood of its own, evenly from -1 to 1', async (choice) => {
  const [person] = (await invite(on, 1, { questions: [{ text: 'How?', answer: 'scale' }] })) as [Invitation];
  await answer(person, 0, { choice });
  await score();
  expect(await answersOf(person.orgId)).toMatchObject([{ sentiment: (choice - 3) / 2 }]);
});

test('four processes that score at once count every answer once, over several batches and organisations', async () => {
  const large = await invite(on, SCORES_PER_COMMIT_MAX + 20);
  const small = await invite(on, 3);
  await Promise.all([...large, ...small].map((one, nth) => answer(one, 0, nth % 2 === 0 ? 'great' : 'terrible')));
  await Promise.all([score(), score(), score(), score()]);
  for (const people of [large, small]) {
    const orgId = people[0]?.orgId as number;
    expect((await answersOf(orgId)).filter(({ unscored }) => unscored)).toEqual([]);
    const counted = await countedOf(orgId);
    expect(counted).toMatchObject({ answers: people.length, scored: people.length, conversations: people.length });
    const { rows } = await sql<{ sum: number }>`
      select sum(sentiment::float8) as sum from messages where org_id = ${orgId}`.execute(on.db);
    expect(counted?.['day_score']).toBeCloseTo(rows[0]?.sum as number, 3);
    expect(counted?.['score']).toBeCloseTo(rows[0]?.sum as number, 3);
  }
});

test('a scorer that loses its connection in the middle neither loses an answer nor counts one twice', async () => {
  const [person] = (await invite(on, 1)) as [Invitation];
  await answer(person, 0, 'great');
  let scoring!: Promise<number>;
  await on.db.transaction().execute(async (transaction) => {
    await sql`select 1 from conversations where org_id = ${person.orgId} for update`.execute(transaction);
    scoring = score();
    await until('the scorer waits and is cut off', async () => {
      const { rows } = await asAdmin((admin) =>
        admin.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`,
          [new URL(on.url).pathname.slice(1)],
        ),
      );
      return rows.length > 0;
    });
  });
  await scoring;
  await score();
  expect(await countedOf(person.orgId)).toMatchObject({ answers: 1, scored: 1, conversations: 1 });
});

test('what could not be recorded is scored by the next run, and does not hold up another organisation', async () => {
  const [first] = (await invite(on, 1)) as [Invitation];
  const [second] = (await invite(on, 1)) as [Invitation];
  await answer(first, 0, 'great');
  await answer(second, 0, 'great');
  const name = 'no_mood_here';
  await sql.raw(`alter table mood_days add constraint ${name} check (org_id <> ${first.orgId})`).execute(on.db);
  onTestFinished(
    async () => void (await sql.raw(`alter table mood_days drop constraint if exists ${name}`).execute(on.db)),
  );
  expect(await score()).toBe(1);
  expect(await answersOf(first.orgId)).toMatchObject([{ sentiment: null, unscored: true }]);
  expect(await countedOf(second.orgId)).toMatchObject({ scored: 1 });
  await sql.raw(`alter table mood_days drop constraint ${name}`).execute(on.db);
  expect(await score()).toBe(1);
  expect(await countedOf(first.orgId)).toMatchObject({ answers: 1, scored: 1, conversations: 1 });
});

test('an answer counts for the day on which it was given, also when it is scored later', async () => {
  const [person] = (await invite(on, 1)) as [Invitation];
  await answer(person, 0, 'great');
  await sql`update messages set created_at = '2026-03-01T23:59:59.999Z' where org_id = ${person.orgId}`.execute(on.db);
  await score();
  const { rows } = await sql`select day, scored from mood_days where org_id = ${person.orgId}`.execute(on.db);
  expect(rows).toEqual([{ day: '2026-03-01', scored: 1 }]);
});

test('the event loop has many turns while hundreds of long answers are scored', async () => {
  const people = await invite(on, 300);
  await Promise.all(people.map((one) => answer(one, 0, 'not so good, 12:30 😀 '.repeat(90))));
  // A clock on which each answer takes a millisecond, however quick the machine is: it goes on when it is looked at.
  const begun = performance.now();
  let looks = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => begun + ++looks);
  onTestFinished(() => clock.mockRestore());
  const turnsMs: number[] = [];
  let last = 0;
  let watching = true;
  const watch = () => {
    turnsMs.push(looks - last);
    last = looks;
    if (watching) setImmediate(watch);
  };
  setImmediate(watch);
  await score();
  watching = false;
  expect(looks).toBeGreaterThan(people.length);
  // What else is done with the database in a turn may look at the clock as well.
  expect(Math.max(...turnsMs)).toBeLessThan(people.length / 10);
});

test.each(['NaN', 'Infinity', '-Infinity', '1.001', '-1.001'])('the table refuses a score of %s', async (value) => {
  const [person] = (await invite(on, 1)) as [Invitation];
  await answer(person, 0, 'great');
  const update = sql`update messages set sentiment = ${value}::real where org_id = ${person.orgId}`;
  await expect(update.execute(on.db)).rejects.toMatchObject({ code: '23514' });
});

test.each(['NaN', 'Infinity', '-Infinity'])('the sums of scores refuse %s', async (value) => {
  const [person] = (await invite(on, 1)) as [Invitation];
  await answer(person, 0, 'great');
  await score();
  for (const table of ['conversations', 'mood_days']) {
    const update = sql`update ${sql.table(table)} set score_sum = ${value}::real where org_id = ${person.orgId}`;
    await expect(update.execute(on.db), table).rejects.toMatchObject({ code: '23514' });
  }
});

test('the job may set a score and nothing else of a message', async () => {
  const [person] = (await invite(on, 1)) as [Invitation];
  await answer(person, 0, 'great');
  const asTenant = (text: string) => on.database.write(person.orgId, (db) => sql.raw(text).execute(db));
  await expect(asTenant("update messages set body = 'x'")).rejects.toMatchObject({ code: '42501' });
  const bodies = sql`select body from messages limit 1`.execute(on.database.primary(EVERY_ORGANISATION));
  await expect(bodies).rejects.toMatchObject({ code: '42501' });
});
