import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../../src/db/read-write-split.ts';
import { createLog } from '../../../src/log.ts';
import { type AnswerQuestion, createAnswers } from '../../../src/modules/conversations/answers.ts';
import { createOpenings, type OpenByLink } from '../../../src/modules/conversations/conversations.ts';
import { createCheckInToken } from '../../../src/modules/conversations/links.ts';
import { createMetrics } from '../../../src/process/metrics.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { SECRET_KEY } from '../../worker.ts';
import { campaignOf } from '../campaigns/drafts.ts';
import { type Invitation, invite, inviteOne } from './invitations.ts';

let on: TestDatabase;
let invitation: Invitation;
let answerQuestion: AnswerQuestion;
let openConversation: OpenByLink;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  answerQuestion = createAnswers(on.database, createMetrics('test'));
  openConversation = createOpenings(on.database, SECRET_KEY, createMetrics('test'));
});
afterAll(() => on.close());
beforeEach(async () => {
  invitation = await inviteOne(on);
});

const open = (lastSeq = 0, token = invitation.token) => openConversation(token, lastSeq);
const answer = (conversation: { orgId: number; id: number }, nonce: string, body = 'fine') =>
  answerQuestion(conversation, { nonce, body });
const messagesOf = (id: number) =>
  on.db
    .selectFrom('messages')
    .where('conversation_id', '=', id)
    .select(['seq', 'sender', 'body', 'nonce'])
    .orderBy('seq')
    .execute();
const progress = async () => (await campaignOf(on.db, invitation.orgId, invitation.campaignId)).progress;

test('the first visit begins the conversation with the first question', async () => {
  expect(await open()).toMatchObject({
    name: 'Person 1',
    organisation: 'Acme',
    campaign: 'Weekly',
    questions: 3,
    lastSeq: 1,
    finished: false,
    messages: [{ seq: 1, sender: 'bot', body: 'Hi Person! How are you?' }],
  });
});

test('ten first visits at the same time begin one conversation', async () => {
  const visits = await Promise.all(Array.from({ length: 10 }, () => open()));
  expect(new Set(visits.map((visit) => visit.id)).size).toBe(1);
  for (const visit of visits) expect(visit.messages).toHaveLength(1);
  expect((await progress()).opened).toBe(1);
});

test('who comes back gets exactly what was missed', async () => {
  const conversation = await open();
  await answer(conversation, 'a', 'first');
  await answer(conversation, 'b', 'second');
  expect((await open(2)).messages.map(({ seq, sender, body }) => [seq, sender, body])).toEqual([
    [3, 'bot', 'What helps?'],
    [4, 'employee', 'second'],
    [5, 'bot', 'Anything else?'],
  ]);
  expect((await open(5)).messages).toEqual([]);
  expect((await open(999)).messages).toEqual([]);
});

test('the questions come in order, and the last answer ends it', async () => {
  const conversation = await open();
  expect(await answer(conversation, 'a')).toMatchObject({
    seq: 2,
    finished: false,
    messages: [{}, { body: 'What helps?' }],
  });
  expect(await answer(conversation, 'b')).toMatchObject({
    seq: 4,
    finished: false,
    messages: [{}, { body: 'Anything else?' }],
  });
  expect(await answer(conversation, 'c')).toMatchObject({
    seq: 6,
    finished: true,
    messages: [{}, { body: expect.stringMatching(/^Thank you/) }],
  });
  expect((await open()).finished).toBe(true);
  expect(await progress()).toMatchObject({ opened: 1, answers: 3, finished: 1 });
});

test('twenty answers at the same time get places without a gap, and only as many as there are questions', async () => {
  const conversation = await open();
  const answers = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => answer(conversation, `nonce-${index}`)),
  );
  expect(answers.filter((one) => one.status === 'fulfilled')).toHaveLength(3);
  for (const one of answers) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'conflict' });
  const messages = await messagesOf(conversation.id);
  expect(messages.map((message) => message.seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(messages.map((message) => message.sender).join(' ')).toBe('bot employee bot employee bot employee bot');
  expect(await progress()).toMatchObject({ answers: 3, finished: 1 });
});

test('twenty people who answer at the same time are all counted', async () => {
  const invitations = await invite(on, 20);
  await Promise.all(
    invitations.map(async ({ token }, index) =>
      answer(await open(0, token), `n-${index}`, index % 2 === 0 ? 'great' : 'terrible'),
    ),
  );
  const [{ orgId, campaignId }] = invitations as [Invitation];
  const { progress: counted } = await campaignOf(on.db, orgId, campaignId);
  expect(counted).toMatchObject({ opened: 20, answers: 20, finished: 0 });
  const { rows } = await sql<{ answers: number; off: number }>`
    select m.answers, abs(m.score_sum - (select sum(sentiment) from messages where org_id = ${orgId})) as off
    from mood_days m where m.org_id = ${orgId}`.execute(on.db);
  expect(rows).toHaveLength(1);
  expect(rows[0]?.answers).toBe(20);
  expect(rows[0]?.off).toBeLessThan(0.001);
});

test('the same answer sent again and again, even at the same time, is stored once and has one place', async () => {
  const conversation = await open();
  const answers = await Promise.all(Array.from({ length: 5 }, () => answer(conversation, 'one')));
  expect(answers.map((one) => one.seq)).toEqual([2, 2, 2, 2, 2]);
  expect(answers.filter((one) => one.messages.length > 0)).toHaveLength(1);
  expect(await messagesOf(conversation.id)).toHaveLength(3);
  expect((await progress()).answers).toBe(1);
});

test('an answer sent again after the end is still acknowledged; a new one is a conflict', async () => {
  const conversation = await open();
  for (const nonce of ['a', 'b', 'c']) await answer(conversation, nonce);
  expect(await answer(conversation, 'c')).toEqual({ seq: 6, messages: [], finished: true });
  await expect(answer(conversation, 'd')).rejects.toMatchObject({ code: 'conflict' });
  expect(await messagesOf(conversation.id)).toHaveLength(7);
});

test("two people may choose the same nonce without knowing of each other's answers", async () => {
  const [first, second] = (await invite(on, 2)) as [Invitation, Invitation];
  const one = await open(0, first.token);
  const other = await open(0, second.token);
  expect((await answer(one, 'same', 'mine')).messages).toHaveLength(2);
  expect((await answer(other, 'same', 'theirs')).messages).toHaveLength(2);
});

test('a link that is not ours, one whose check-in is gone, and one that expired say so', async () => {
  await expect(open(0, 'nonsense')).rejects.toMatchObject({ code: 'not_found' });
  const nobody = createCheckInToken(SECRET_KEY, { orgId: invitation.orgId, id: 999_999_999 });
  await expect(open(0, nobody)).rejects.toMatchObject({ code: 'not_found' });
  await sql`update campaigns set link_expires_at = now() where id = ${invitation.campaignId}`.execute(on.db);
  await expect(open()).rejects.toMatchObject({ code: 'gone' });
  expect((await progress()).opened).toBe(0);
});

test('an answer that can never be stored fails alone, and those that came with it are stored', async () => {
  await sql`alter table messages add constraint no_boom check (body <> 'boom') not valid`.execute(on.db);
  onTestFinished(async () => void (await sql`alter table messages drop constraint no_boom`.execute(on.db)));
  const opened = await Promise.all((await invite(on, 6)).map(({ token }) => open(0, token)));
  const answers = await Promise.allSettled(
    opened.map((conversation, nth) => answer(conversation, 'n', nth === 3 ? 'boom' : 'fine')),
  );
  expect(answers.map(({ status }) => status === 'fulfilled')).toEqual([true, true, true, false, true, true]);
  const lengths = await Promise.all(opened.map(async ({ id }) => (await messagesOf(id)).length));
  expect(lengths).toEqual([3, 3, 3, 1, 3, 3]);
});

test('sixteen clients at once, all in one team and campaign: every answer is kept and counted once, in order', async () => {
  // An answer locks its conversation, then its team's day, then its campaign's counters: rows that all of them share.
  const people = await invite(on, 16);
  const second = openDatabase({
    config: { databaseUrl: on.url, databaseReplicaUrl: undefined },
    name: 'all',
    log: createLog('test', 'silent'),
    metrics: createMetrics('test'),
  });
  onTestFinished(() => second.close());
  const mine = { open: openConversation, answer: answerQuestion };
  const theirs = {
    open: createOpenings(second, SECRET_KEY, createMetrics('test')),
    answer: createAnswers(second, createMetrics('test')),
  };
  const answers = ['good', 'bad', 'fine'];
  await Promise.all(
    people.map(async ({ token }, client) => {
      const { open, answer } = client % 2 === 0 ? mine : theirs;
      const conversation = await open(token, 0);
      for (const [n, body] of answers.entries()) {
        const given = { nonce: `${client}-${n}`, body };
        // And once more at the same time, as an impatient client sends it.
        await Promise.all([1, 2].map(() => answer(conversation, given)));
      }
    }),
  );
  const [{ orgId, campaignId } = { orgId: 0, campaignId: 0 }] = people;
  const given = people.length * answers.length;
  const { progress } = await campaignOf(on.db, orgId, campaignId);
  expect(progress).toMatchObject({ opened: 16, answers: given, finished: 16 });
  const { rows: moods } = await sql`
    select sum(answers)::int as answers from mood_days where org_id = ${orgId}`.execute(on.db);
  expect(moods).toEqual([{ answers: given }]);
  const { rows: gaps } = await sql<{ gapless: boolean; messages: number }>`
    select max(seq) = count(*) as gapless, count(*)::int as messages from messages
    where org_id = ${orgId} group by conversation_id`.execute(on.db);
  expect(gaps).toEqual(Array(16).fill({ gapless: true, messages: 1 + answers.length * 2 }));
});
