import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createLinkToken } from '../../../src/mail/personal-link.ts';
import {
  ANSWER_CHARS_MAX,
  CHOICE_MAX,
  CONVERSATION_MESSAGES_MAX,
  NONCE_CHARS_MAX,
  WINDOWS_PER_CONVERSATION_MAX,
} from '../../../src/modules/conversations/limits.ts';
import { createCheckInToken } from '../../../src/modules/conversations/links.ts';
import { start as startChat } from '../../../workers/chat.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { openSocket } from '../../socket/client.ts';
import { SECRET_KEY, startWorker, type TestWorker, testEnvironment } from '../../worker.ts';
import { campaignOf } from '../campaigns/drafts.ts';
import { askForTicket, type ChatClient, type Frame, openChat, sayAnswer } from './chat-client.ts';
import { type Invitation, invite, inviteOne } from './invitations.ts';

let on: TestDatabase;
let chat: TestWorker;
let invitation: Invitation;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  chat = await startWorker('chat', startChat, await testEnvironment(on));
});
afterAll(async () => {
  await chat?.stop();
  await on.close();
});
beforeEach(async () => {
  invitation = await inviteOne(on);
});

const open = (token = invitation.token) => openChat(chat.config.chatUrl, token);
async function welcomed(token = invitation.token, lastSeq = 0): Promise<ChatClient> {
  const client = await open(token);
  await client.hello(lastSeq);
  return client;
}
/** Says that a person is there, and waits until the conversation has begun. */
async function begun(client: ChatClient, { reachOutId } = invitation): Promise<void> {
  client.say({ type: 'seen' });
  await until('the conversation has begun', () =>
    on.db.selectFrom('conversations').where('reach_out_id', '=', reachOutId).select('id').executeTakeFirst(),
  );
}
const messagesIn = (client: ChatClient) =>
  client.frames.filter((frame) => frame.type === 'message').map(({ seq, sender, body }) => [seq, sender, body]);

test('an answer that is committed after its person came back is heard in the new window', async () => {
  const before = await welcomed();
  await begun(before);
  const [{ id } = { id: 0 }] = await on.db
    .selectFrom('conversations')
    .where('reach_out_id', '=', invitation.reachOutId)
    .select('id')
    .execute();
  let after!: ChatClient;
  await on.db.transaction().execute(async (transaction) => {
    await transaction.selectFrom('conversations').where('id', '=', id).select('id').forUpdate().execute();
    before.say(sayAnswer('late', 1, 'fine'));
    await until('the answer waits for the lock', async () => {
      const { rows } =
        await sql`select 1 from pg_stat_activity where application_name = 'tardigrade-chat' and wait_event_type = 'Lock'`.execute(
          on.db,
        );
      return rows.length > 0;
    });
    before.socket.terminate();
    await before.closed;
    after = await welcomed(invitation.token, 1);
  });
  await after.heard((frame) => frame['seq'] === 3);
  expect(messagesIn(after).map(([seq]) => seq)).toEqual([2, 3]);
});

test('a conversation from hello to the end', async () => {
  const client = await open();
  expect(await client.hello()).toMatchObject({
    name: 'Person 1',
    organisation: 'Acme',
    questions: 3,
    finished: false,
    lastSeq: 1,
    waitingFor: 1,
    messages: [{ seq: 1, sender: 'bot', body: 'Hi Person! How are you?', at: expect.any(String), answer: 'text' }],
  });
  expect(await client.answer('a', ' fine \n')).toEqual({ type: 'ack', nonce: 'a', seq: 2 });
  await client.answer('b', 'tea');
  await client.answer('c', 'no');
  await client.heard((frame) => frame.type === 'finished');
  expect(messagesIn(client)).toEqual([
    [2, 'employee', 'fine'],
    [3, 'bot', 'What helps?'],
    [4, 'employee', 'tea'],
    [5, 'bot', 'Anything else?'],
    [6, 'employee', 'no'],
    [7, 'bot', expect.stringMatching(/^Thank you/)],
  ]);
  expect(await client.answer('d', 'one more')).toMatchObject({ type: 'error', code: 'conflict' });
  const [answer, question, , , , thanks] = client.frames.filter((frame) => frame.type === 'message');
  expect(answer).toMatchObject({ nonce: 'a' });
  expect(answer).not.toHaveProperty('answer');
  expect(question).toMatchObject({ answer: 'text' });
  expect(question).not.toHaveProperty('nonce');
  expect(thanks).not.toHaveProperty('answer');
  expect(await (await open()).hello(7)).toMatchObject({ finished: true, waitingFor: null });
});

test('two thoughts sent at once belong to one question: the second is refused, not stored under the next', async () => {
  const client = await welcomed();
  client.say(sayAnswer('first', 1, 'It was fine'));
  client.say(sayAnswer('second', 1, 'but the release was stressful'));
  expect(await client.heard((frame) => frame.type === 'error')).toMatchObject({ code: 'conflict' });
  expect(messagesIn(client)).toEqual([
    [2, 'employee', 'It was fine'],
    [3, 'bot', 'What helps?'],
  ]);
  client.say(sayAnswer('first', 1, 'It was fine')); // sent again after its acknowledgement was lost
  await until('acknowledged again', () => client.frames.filter((frame) => frame.type === 'ack').length === 2);
  expect(await client.answer('second', 'but the release was stressful')).toMatchObject({ type: 'ack', seq: 4 });
});

test('a client that has more than the server, as after a restored backup, starts again from the beginning', async () => {
  const client = await welcomed();
  await client.answer('a', 'fine');
  const ahead = await open();
  const welcome = await ahead.hello(9);
  expect(ahead.frames[0]).toEqual({ type: 'resync', fromSeq: 1 });
  expect((welcome['messages'] as Frame[]).map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

test('a client that missed more than the server repeats is told from where it goes on', async () => {
  const client = await welcomed();
  await client.answer('a', 'fine');
  await sql`insert into messages (org_id, conversation_id, seq, sender, body)
    select org_id, id, n, 'bot', 'and ' || n from conversations, generate_series(4, ${CONVERSATION_MESSAGES_MAX + 2}::int) n
    where reach_out_id = ${invitation.reachOutId}`.execute(on.db);
  await sql`update conversations set last_seq = ${CONVERSATION_MESSAGES_MAX + 2}::int
    where reach_out_id = ${invitation.reachOutId}`.execute(on.db);
  const late = await open();
  const welcome = await late.hello(1);
  expect(late.frames[0]).toEqual({ type: 'resync', fromSeq: 3 });
  const seqs = (welcome['messages'] as Frame[]).map(({ seq }) => seq);
  expect([seqs.length, seqs[0], seqs.at(-1)]).toEqual([CONVERSATION_MESSAGES_MAX, 3, CONVERSATION_MESSAGES_MAX + 2]);
  const enough = await open();
  await enough.hello(2);
  expect(enough.frames.map(({ type }) => type)).toEqual(['welcome']);
});

test('a hello may say which version of the protocol it speaks', async () => {
  const client = await open();
  client.say({ type: 'hello', version: 1, lastSeq: 0 });
  expect(await client.heard(({ type }) => type !== 'ping')).toMatchObject({ type: 'welcome' });
});

test('a tap on the scale is an answer', async () => {
  const questions = [{ text: 'How was it?', answer: 'scale' as const }];
  const [person] = (await invite(on, 1, { questions })) as [Invitation];
  const client = await welcomed(person.token);
  expect(await client.answer('words', 'good')).toMatchObject({ type: 'error', code: 'invalid' });
  expect(await client.answer('tap', CHOICE_MAX)).toEqual({ type: 'ack', nonce: 'tap', seq: 2 });
  expect(messagesIn(client)[0]).toEqual([2, 'employee', '5 of 5']);
});

test('a program that opens the link leaves no trace; a person who gives a sign begins the conversation, once', async () => {
  const opened = async () => (await campaignOf(on.db, invitation.orgId, invitation.campaignId)).progress.opened;
  const scanner = await welcomed();
  scanner.socket.close();
  await scanner.closed;
  expect(await opened()).toBe(0);
  const client = await welcomed();
  for (const _ of [1, 2, 3]) await begun(client);
  await client.answer('a', 'fine');
  expect(await opened()).toBe(1);
});

test('an answer from an open window is refused once the link has expired', async () => {
  const client = await welcomed();
  await client.answer('a', 'fine');
  await sql`update campaigns set link_expires_at = now() where id = ${invitation.campaignId}`.execute(on.db);
  expect(await client.answer('b', 'late')).toMatchObject({ type: 'error', code: 'gone' });
});

test.each([
  ['a zero width space', '\u200b'],
  ['Hangul fillers', '\u3164\u115f'],
  ['the empty Braille pattern', '\u2800'],
  ['directions without a text', '\u202e\u2066'],
  ['an accent without a letter', '\u0301'],
  ['half of an emoji', '\ud83d'],
  ['a byte order mark', '\ufeff'],
  ['a soft hyphen', '\u00ad'],
])('%s alone is not an answer', async (_, text) => {
  const client = await welcomed();
  expect(await client.answer('a', text)).toMatchObject({ type: 'error', code: 'invalid' });
  expect(await client.answer('b', '👍')).toMatchObject({ type: 'ack', seq: 2 });
});

test('an answer follows the rule of all text that comes in: what only deceives is left out', async () => {
  const client = await welcomed();
  await client.answer('deceiving', 'pay\u202e roll\u200b\u00ad\r\nand more');
  const stored = await on.db.selectFrom('messages').where('nonce', '=', 'deceiving').select('body').executeTakeFirst();
  expect(stored).toEqual({ body: 'pay roll\nand more' });
});

test('a text is stored composed, and half of an emoji in it does not lose the rest', async () => {
  const client = await welcomed();
  await client.answer('a', 'cafe\u0301 \ud83d');
  expect(messagesIn(client)[0]).toEqual([2, 'employee', 'caf\u00e9 \ufffd']);
});

test('an answer that is too long is told by how much', async () => {
  const client = await welcomed();
  const refused = await client.answer('a', 'x'.repeat(3_017));
  expect(refused).toMatchObject({ code: 'invalid', message: expect.stringMatching(/at most 2,000 .* 3,017/) });
  // Characters are counted as people count them: an emoji is one.
  expect(await client.answer('b', '😀'.repeat(ANSWER_CHARS_MAX))).toMatchObject({ type: 'ack' });
});

test('an answer is acknowledged only when it is committed', async () => {
  const client = await welcomed();
  const { promise: hold, resolve: letGo } = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const holding = on.db.transaction().execute(async (transaction) => {
    await sql`select 1 from campaign_progress where campaign_id = ${invitation.campaignId} for update`.execute(
      transaction,
    );
    locked.resolve();
    await hold;
  });
  await locked.promise;
  client.say(sayAnswer('slow', 1, 'fine'));
  await until('the answer waits for the lock, uncommitted', async () => {
    const { rows } =
      await sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
        on.db,
      );
    return rows.length > 0;
  });
  expect(client.frames.filter((frame) => frame.type === 'ack')).toEqual([]);
  letGo();
  await holding;
  await client.heard((frame) => frame.type === 'ack');
  const stored = await on.db
    .selectFrom('messages')
    .where('nonce', '=', 'slow')
    .where('org_id', '=', invitation.orgId)
    .selectAll()
    .execute();
  expect(stored).toHaveLength(1);
});

test('an answer whose acknowledgement was lost is sent again and is there once', async () => {
  const first = await welcomed();
  first.say(sayAnswer('once', 1, 'fine'));
  await new Promise((resolve) => first.socket.once('message', resolve)); // stored; the client dies before it reads this
  first.socket.terminate();
  const second = await open();
  const { messages } = await second.hello(1);
  expect((messages as Frame[]).map((message) => message['seq'])).toEqual([2, 3]);
  expect(await second.answer('once', 'fine')).toEqual({ type: 'ack', nonce: 'once', seq: 2 });
  expect(await second.answer('next', 'tea')).toEqual({ type: 'ack', nonce: 'next', seq: 4 });
  expect(messagesIn(second).map(([seq]) => seq)).toEqual([4, 5]);
});

test("two windows of one person see each other's messages, in order and once; another person sees none", async () => {
  const [anna, ben] = (await invite(on, 2)) as [Invitation, Invitation];
  const [left, right, other] = [await welcomed(anna.token), await welcomed(anna.token), await welcomed(ben.token)];
  for (const [question, window] of [left, right, left].entries()) {
    await window.answer(`n${question}`, 'mine and mine alone');
    await until('the other has seen it', () =>
      [left, right].every((one) => messagesIn(one).length === 2 * question + 2),
    );
  }
  for (const window of [left, right]) expect(messagesIn(window).map(([seq]) => seq)).toEqual([2, 3, 4, 5, 6, 7]);
  await other.answer('o', 'mine');
  expect(messagesIn(other).map(([, , body]) => body)).toEqual(['mine', 'What helps?']);
  expect(JSON.stringify(other.frames)).not.toContain('alone');
});

test('a link has a number of windows, and one that is closed makes room for another', async () => {
  const windows = [];
  for (let window = 0; window < WINDOWS_PER_CONVERSATION_MAX; window++) windows.push(await welcomed());
  const late = await open();
  late.say({ type: 'hello', lastSeq: 0 });
  expect(await late.closed).toMatchObject({ code: 1013, reason: expect.stringMatching(/^retry after \d+ ms$/) });
  expect(late.frames).toMatchObject([{ type: 'error', code: 'rate_limited', retryAfterMs: expect.any(Number) }]);
  windows[0]?.socket.close();
  await windows[0]?.closed;
  await until('there is room', async () => {
    const again = await open().catch(() => undefined); // the link has a rate
    if (again === undefined) return false;
    again.say({ type: 'hello', lastSeq: 0 });
    return (await again.heard(() => true)).type === 'welcome';
  });
});

test('a closed window is told nothing more, and the other goes on', async () => {
  const [left, right] = [await welcomed(), await welcomed()];
  left.socket.close();
  await left.closed;
  await right.answer('r', 'still here');
  expect(messagesIn(left)).toEqual([]);
  expect(messagesIn(right)).toHaveLength(2);
});

test('a bad link gets no ticket, and an expired one is closed with 4010 and a reason before', async () => {
  const target = { orgId: invitation.orgId, id: invitation.reachOutId };
  const foreign = createCheckInToken('another installation, another secret key', target);
  const unsubscribe = createLinkToken(SECRET_KEY, 'unsubscribe', target);
  for (const token of ['nonsense', foreign, unsubscribe])
    expect(await askForTicket(chat.config.chatUrl, token)).toMatchObject({ type: 'error', code: 'not_found' });
  const left = await open();
  await sql`update campaigns set link_expires_at = now() where id = ${invitation.campaignId}`.execute(on.db);
  for (const late of [left, await open()]) {
    late.say({ type: 'hello', lastSeq: 0 });
    expect((await late.closed).code).toBe(4010);
    expect(late.frames).toMatchObject([{ type: 'error', code: 'gone' }]);
  }
});

test('a link to a conversation that is gone closes with 4001 and a reason before', async () => {
  const token = createCheckInToken(SECRET_KEY, { orgId: invitation.orgId, id: 2 ** 40 });
  const client = await open(token);
  client.say({ type: 'hello', lastSeq: 0 });
  expect((await client.closed).code).toBe(4001);
  expect(client.frames).toMatchObject([{ type: 'error', code: 'not_found' }]);
});

test('a ticket opens one socket, and a socket without one is refused', async () => {
  const answer = (await askForTicket(chat.config.chatUrl, invitation.token)) as { ticket: string };
  const client = await openChat(chat.config.chatUrl, answer);
  expect(client.socket.protocol).toBe('ticket');
  await expect(openChat(chat.config.chatUrl, answer)).rejects.toThrow('401');
  await expect(openChat(chat.config.chatUrl, { ticket: invitation.token })).rejects.toThrow('401');
  await expect(openSocket(`${chat.config.chatUrl}/chat`)).rejects.toThrow('401');
  expect(await client.hello()).toMatchObject({ type: 'welcome' });
});

test('an answer before hello goes nowhere', async () => {
  const client = await open();
  expect(await client.answer('a', 'fine')).toMatchObject({ type: 'error', code: 'unauthenticated' });
});

test.each([
  ['no type', {}],
  ['an unknown type', { type: 'shout' }],
  ['an empty answer', sayAnswer('n', 1, '')],
  ['an answer of blanks', sayAnswer('n', 1, ' \n ')],
  ['an answer that is too long', sayAnswer('n', 1, 'x'.repeat(ANSWER_CHARS_MAX + 1))],
  ['no nonce', sayAnswer('', 1, 'fine')],
  ['a nonce that is too long', sayAnswer('n'.repeat(NONCE_CHARS_MAX + 1), 1, 'fine')],
  ['a field that nobody reads', { ...sayAnswer('n', 1, 'fine'), seq: 1 }],
  ['an answer without a question', { type: 'answer', nonce: 'n', text: 'fine' }],
  ['words and a number at once', { ...sayAnswer('n', 1, 'fine'), choice: 1 }],
  ['neither words nor a number', { type: 'answer', nonce: 'n', questionSeq: 1 }],
  ['a number below the scale', sayAnswer('n', 1, 0)],
  ['a number above the scale', sayAnswer('n', 1, CHOICE_MAX + 1)],
  ['a number between two', sayAnswer('n', 1, 2.5)],
  ['a place before the first', { type: 'hello', lastSeq: -1 }],
])('%s is told to be invalid, and the conversation goes on', async (_, frame) => {
  const client = await welcomed();
  client.say(frame);
  await client.heard((heard) => heard['code'] === 'invalid');
  expect(await client.answer('good', 'fine')).toMatchObject({ type: 'ack', seq: 2 });
});

test('an answer in any script arrives as it was written', async () => {
  const client = await welcomed();
  const body = "Grüße 你好 👩‍👩‍👧 <b>&amp;</b> '; drop table messages; --";
  await client.answer('a', body);
  expect(messagesIn(client)[0]).toEqual([2, 'employee', body]);
});

test('a zero byte, which PostgreSQL cannot store, is refused as invalid and the line stays', async () => {
  const client = await welcomed();
  expect(await client.answer('a', 'nul \u0000 byte')).toMatchObject({ type: 'error', code: 'invalid' });
  expect(await client.answer('b', 'fine')).toMatchObject({ type: 'ack' });
});

test('a stop of the chat tells everybody to come back, and what was said is there afterwards', async () => {
  const second = await startWorker('chat', startChat, await testEnvironment(on));
  const client = await openChat(second.config.chatUrl, invitation.token);
  await client.hello();
  await client.answer('a', 'fine');
  expect(await second.stop()).toBe(true);
  expect(await client.closed).toMatchObject({ code: 1012, reason: expect.stringMatching(/^retry after \d+ ms$/) });
  const again = await open();
  expect(await again.hello(3)).toMatchObject({ lastSeq: 3, messages: [] });
});
