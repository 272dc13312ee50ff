import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../../src/db/read-write-split.ts';
import { createLog } from '../../../src/log.ts';
import { type AnswerContent, type AnswerQuestion, createAnswers } from '../../../src/modules/conversations/answers.ts';
import {
  type BeginConversation,
  createBeginnings,
  createOpenings,
  type OpenConversationOf,
  readInvitation,
} from '../../../src/modules/conversations/conversations.ts';
import { createCheckInToken } from '../../../src/modules/conversations/links.ts';
import { createMetrics } from '../../../src/process/metrics.ts';
import { createTestDatabase, isWaitingForLock, type TestDatabase, until } from '../../database.ts';
import { SECRET_KEY } from '../../worker.ts';
import { campaignOf } from '../campaigns/drafts.ts';
import { type Invitation, invite, inviteOne } from './invitations.ts';

let on: TestDatabase;
let invitation: Invitation;
let answerQuestion: AnswerQuestion;
let openConversation: OpenConversationOf;
let beginConversation: BeginConversation;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  answerQuestion = createAnswers(on.database, createMetrics('test'));
  openConversation = createOpenings(on.database, createMetrics('test'));
  beginConversation = createBeginnings(on.database, createMetrics('test'));
});
afterAll(() => on.close());
beforeEach(async () => {
  invitation = await inviteOne(on);
});

const open = async (lastSeq = 0, token = invitation.token) =>
  openConversation(readInvitation(SECRET_KEY, token), lastSeq);
type Place = { readonly orgId: number; readonly reachOutId: number };
const answer = (place: Place, nonce: string, questionSeq: number, content: string | AnswerContent = 'fine') =>
  answerQuestion(place, { nonce, questionSeq, content: typeof content === 'string' ? { text: content } : content });
const conversationOf = (place: Place) =>
  on.db.selectFrom('conversations').where('reach_out_id', '=', place.reachOutId).selectAll().executeTakeFirst();
const messagesOf = async (place: Place) =>
  on.db
    .selectFrom('messages')
    .where('conversation_id', '=', (await conversationOf(place))?.id ?? 0)
    .select(['seq', 'sender', 'body', 'nonce', 'question_seq', 'choice'])
    .orderBy('seq')
    .execute();
const progress = async () => (await campaignOf(on.db, invitation.orgId, invitation.campaignId)).progress;

test('a link shows its first question and stores nothing, because a program may have opened it', async () => {
  expect(await open()).toMatchObject({
    name: 'Person 1',
    organisation: 'Acme',
    campaign: 'Weekly',
    questions: 3,
    lastSeq: 1,
    waitingFor: 1,
    finished: false,
    messages: [{ seq: 1, sender: 'bot', body: 'Hi Person! How are you?', answer: 'text' }],
  });
  expect((await open(1)).messages).toEqual([]);
  expect(await conversationOf(invitation)).toBeUndefined();
  expect((await progress()).opened).toBe(0);
});

test('ten signs of a person at the same time begin one conversation, with the question that was shown', async () => {
  const shown = await open();
  await Promise.all(Array.from({ length: 10 }, () => beginConversation(invitation)));
  await beginConversation(invitation);
  expect((await progress()).opened).toBe(1);
  const { messages, ...begun } = await open();
  expect(begun).toMatchObject({ lastSeq: 1, waitingFor: 1 });
  expect(messages).toEqual([{ ...shown.messages[0], at: expect.any(String) }]);
});

test('whoever is erased while they answer for the first time is told that the check-in is gone', async () => {
  const answered = await on.db.transaction().execute(async (transaction) => {
    await sql`delete from employees where org_id = ${invitation.orgId}`.execute(transaction);
    const answering = answer(invitation, 'a', 1);
    answering.catch(() => undefined);
    await until('the erasure is waited for', () => isWaitingForLock(on.db));
    return { answering };
  });
  await expect(answered.answering).rejects.toMatchObject({ code: 'not_found' });
});

test('a check-in that begins waits for an erasure without holding what the erasure deletes', async () => {
  const begun = await on.db.transaction().execute(async (transaction) => {
    await sql`select from employees where org_id = ${invitation.orgId} for update`.execute(transaction);
    const beginning = beginConversation(invitation);
    await until('the erasure is waited for', () => isWaitingForLock(on.db));
    await sql`select from reach_outs where org_id = ${invitation.orgId} for update nowait`.execute(transaction);
    await sql`delete from employees where org_id = ${invitation.orgId}`.execute(transaction);
    return { beginning };
  });
  await begun.beginning;
  expect(await conversationOf(invitation)).toBeUndefined();
});

test('the first answer begins the conversation, also when it comes from two windows with a sign of the person', async () => {
  const both = await Promise.allSettled([
    answer(invitation, 'a', 1),
    answer(invitation, 'b', 1),
    beginConversation(invitation),
  ]);
  expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  expect(await progress()).toMatchObject({ opened: 1, answers: 1 });
  expect((await messagesOf(invitation)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

test('who comes back gets exactly what was missed', async () => {
  const conversation = await open();
  await answer(conversation, 'a', 1, 'first');
  await answer(conversation, 'b', 3, 'second');
  expect((await open(2)).messages.map(({ seq, sender, body }) => [seq, sender, body])).toEqual([
    [3, 'bot', 'What helps?'],
    [4, 'employee', 'second'],
    [5, 'bot', 'Anything else?'],
  ]);
  expect((await open(5)).messages).toEqual([]);
  // More than there is, as after a restored backup: all of it again.
  expect((await open(999)).messages).toHaveLength(5);
});

test('the questions come in order, and the last answer ends it', async () => {
  const conversation = await open();
  expect(await answer(conversation, 'a', 1)).toMatchObject({
    seq: 2,
    finished: false,
    messages: [{}, { body: 'What helps?' }],
  });
  expect(await answer(conversation, 'b', 3)).toMatchObject({
    seq: 4,
    finished: false,
    messages: [{}, { body: 'Anything else?' }],
  });
  expect(await answer(conversation, 'c', 5)).toMatchObject({
    seq: 6,
    finished: true,
    messages: [{}, { body: expect.stringMatching(/^Thank you/) }],
  });
  expect(await open()).toMatchObject({ finished: true, waitingFor: null });
  expect(await progress()).toMatchObject({ opened: 1, answers: 3, finished: 1 });
});

test('of twenty answers to one question at the same time one is stored, and the others do not answer the next', async () => {
  const conversation = await open();
  const answers = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => answer(conversation, `nonce-${index}`, 1)),
  );
  expect(answers.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
  for (const one of answers) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'conflict' });
  const messages = await messagesOf(conversation);
  expect(messages.map(({ seq, sender, question_seq }) => [seq, sender, question_seq])).toEqual([
    [1, 'bot', null],
    [2, 'employee', 1],
    [3, 'bot', null],
  ]);
  expect(await progress()).toMatchObject({ answers: 1, finished: 0 });
});

test.each([
  ['that has been answered', 1],
  ['that has not been asked', 5],
  ['that is an answer', 2],
])('an answer to a question %s is a conflict, and nothing is stored', async (_, questionSeq) => {
  await answer(invitation, 'a', 1);
  await expect(answer(invitation, 'b', questionSeq)).rejects.toMatchObject({ code: 'conflict' });
  expect(await messagesOf(invitation)).toHaveLength(3);
  expect(await answer(invitation, 'b', 3)).toMatchObject({ seq: 4 });
});

test('twenty people who answer at the same time are all counted', async () => {
  const invitations = await invite(on, 20);
  await Promise.all(
    invitations.map(async ({ token }, index) =>
      answer(await open(0, token), `n-${index}`, 1, index % 2 === 0 ? 'great' : 'terrible'),
    ),
  );
  const [{ orgId, campaignId }] = invitations as [Invitation];
  const { progress: counted } = await campaignOf(on.db, orgId, campaignId);
  expect(counted).toMatchObject({ opened: 20, answers: 20, finished: 0 });
});

test('the same answer sent again and again, even at the same time, is stored once and has one place', async () => {
  const conversation = await open();
  const answers = await Promise.all(Array.from({ length: 5 }, () => answer(conversation, 'one', 1)));
  expect(answers.map((one) => one.seq)).toEqual([2, 2, 2, 2, 2]);
  expect(answers.filter((one) => one.messages.length > 0)).toHaveLength(1);
  expect(await messagesOf(conversation)).toHaveLength(3);
  expect((await progress()).answers).toBe(1);
});

test('an answer sent again after the end is still acknowledged; a new one is a conflict', async () => {
  const conversation = await open();
  for (const [nth, nonce] of ['a', 'b', 'c'].entries()) await answer(conversation, nonce, 1 + 2 * nth);
  expect(await answer(conversation, 'c', 5)).toEqual({ seq: 6, messages: [], finished: true });
  await expect(answer(conversation, 'd', 5)).rejects.toMatchObject({ code: 'conflict' });
  await expect(answer(conversation, 'e', 7)).rejects.toMatchObject({ code: 'conflict' });
  expect(await messagesOf(conversation)).toHaveLength(7);
});

test("two people may choose the same nonce without knowing of each other's answers", async () => {
  const [first, second] = (await invite(on, 2)) as [Invitation, Invitation];
  const one = await open(0, first.token);
  const other = await open(0, second.token);
  expect((await answer(one, 'same', 1, 'mine')).messages).toHaveLength(2);
  expect((await answer(other, 'same', 1, 'theirs')).messages).toHaveLength(2);
});

test('a link that is not ours, one whose check-in is gone, and one that expired say so', async () => {
  await expect(open(0, 'nonsense')).rejects.toMatchObject({ code: 'not_found' });
  const nobody = createCheckInToken(SECRET_KEY, { orgId: invitation.orgId, id: 999_999_999 });
  await expect(open(0, nobody)).rejects.toMatchObject({ code: 'not_found' });
  await sql`update campaigns set link_expires_at = now() where id = ${invitation.campaignId}`.execute(on.db);
  await expect(open()).rejects.toMatchObject({ code: 'gone' });
  await beginConversation(invitation);
  expect((await progress()).opened).toBe(0);
});

test('an answer after its link has expired is refused; one that was stored before is acknowledged again', async () => {
  await open();
  await answer(invitation, 'in time', 1);
  await sql`update campaigns set link_expires_at = now() where id = ${invitation.campaignId}`.execute(on.db);
  await expect(answer(invitation, 'late', 3)).rejects.toMatchObject({ code: 'gone' });
  expect(await answer(invitation, 'in time', 1)).toMatchObject({ seq: 2, messages: [] });
  const other = await inviteOne(on);
  await sql`update campaigns set link_expires_at = now() where id = ${other.campaignId}`.execute(on.db);
  await expect(answer(other, 'late', 1)).rejects.toMatchObject({ code: expect.stringMatching(/gone|not_found/) });
  expect(await conversationOf(other)).toBeUndefined();
});

test('a question with a scale takes a number, one without takes words, and neither takes the other', async () => {
  const [scale, text] = [{ text: 'How was it?', answer: 'scale' as const }, 'Why?'];
  const [person] = await invite(on, 1, { questions: [scale, text] });
  const asked = person as Invitation;
  expect((await open(0, asked.token)).messages).toMatchObject([{ body: 'Hi Person! How was it?', answer: 'scale' }]);
  await expect(answer(asked, 'a', 1, 'good')).rejects.toMatchObject({ code: 'invalid' });
  expect(await answer(asked, 'a', 1, { choice: 4 })).toMatchObject({
    messages: [{ body: '4 of 5' }, { body: 'Why?', answer: 'text' }],
  });
  await expect(answer(asked, 'b', 3, { choice: 4 })).rejects.toMatchObject({ code: 'invalid' });
  await answer(asked, 'b', 3, 'The sun was out');
  expect((await messagesOf(asked)).map(({ choice }) => choice)).toEqual([null, 4, null, null, null]);
});

test('an answer that can never be stored fails alone, and those that came with it are stored', async () => {
  await sql`alter table messages add constraint no_boom check (body <> 'boom') not valid`.execute(on.db);
  onTestFinished(async () => void (await sql`alter table messages drop constraint no_boom`.execute(on.db)));
  const people = await invite(on, 6);
  await Promise.all(people.map((one) => beginConversation(one)));
  const answers = await Promise.allSettled(people.map((one, nth) => answer(one, 'n', 1, nth === 3 ? 'boom' : 'fine')));
  expect(answers.map(({ status }) => status === 'fulfilled')).toEqual([true, true, true, false, true, true]);
  const lengths = await Promise.all(people.map(async (one) => (await messagesOf(one)).length));
  expect(lengths).toEqual([3, 3, 3, 1, 3, 3]);
});

test('sixteen clients at once, all in one team and campaign: every answer is kept and counted once, in order', async () => {
  // An answer locks its conversation, then its campaign's counters, a row that all of them share.
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
    open: createOpenings(second, createMetrics('test')),
    answer: createAnswers(second, createMetrics('test')),
  };
  const answers = ['good', 'bad', 'fine'];
  await Promise.all(
    people.map(async (person, client) => {
      const { open, answer } = client % 2 === 0 ? mine : theirs;
      const conversation = await open(person, 0);
      for (const [n, body] of answers.entries()) {
        const given = { nonce: `${client}-${n}`, questionSeq: 1 + 2 * n, content: { text: body } };
        // And once more at the same time, as an impatient client sends it.
        await Promise.all([1, 2].map(() => answer(conversation, given)));
      }
    }),
  );
  const [{ orgId, campaignId } = { orgId: 0, campaignId: 0 }] = people;
  const given = people.length * answers.length;
  const { progress } = await campaignOf(on.db, orgId, campaignId);
  expect(progress).toMatchObject({ opened: 16, answers: given, finished: 16 });
  const { rows: gaps } = await sql<{ gapless: boolean; messages: number }>`
    select max(seq) = count(*) as gapless, count(*)::int as messages from messages
    where org_id = ${orgId} group by conversation_id`.execute(on.db);
  expect(gaps).toEqual(Array(16).fill({ gapless: true, messages: 1 + answers.length * 2 }));
});
