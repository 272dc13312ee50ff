import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createLinkToken } from '../../../src/mail/personal-link.ts';
import { ANSWER_CHARS_MAX, NONCE_CHARS_MAX, WINDOWS_PER_LINK_MAX } from '../../../src/modules/conversations/limits.ts';
import { createCheckInToken } from '../../../src/modules/conversations/links.ts';
import { start as startChat } from '../../../workers/chat.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { SECRET_KEY, startWorker, type TestWorker, testEnvironment } from '../../worker.ts';
import { type ChatClient, type Frame, openChat } from './chat-client.ts';
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

const open = () => openChat(chat.config.chatUrl);
async function welcomed(token = invitation.token, lastSeq = 0): Promise<ChatClient> {
  const client = await open();
  await client.hello(token, lastSeq);
  return client;
}
const messagesIn = (client: ChatClient) =>
  client.frames.filter((frame) => frame.type === 'message').map(({ seq, sender, body }) => [seq, sender, body]);

test('an answer that is committed after its person came back is heard in the new window', async () => {
  const before = await welcomed();
  const [{ id } = { id: 0 }] = await on.db
    .selectFrom('conversations')
    .where('reach_out_id', '=', invitation.reachOutId)
    .select('id')
    .execute();
  let after!: ChatClient;
  await on.db.transaction().execute(async (transaction) => {
    await transaction.selectFrom('conversations').where('id', '=', id).select('id').forUpdate().execute();
    before.say({ type: 'answer', nonce: 'late', body: 'fine' });
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
  expect(await client.hello(invitation.token)).toMatchObject({
    name: 'Person 1',
    organisation: 'Acme',
    questions: 3,
    finished: false,
    lastSeq: 1,
    messages: [{ seq: 1, sender: 'bot', body: 'Hi Person! How are you?' }],
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
  client.say({ type: 'answer', nonce: 'slow', body: 'fine' });
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
  first.say({ type: 'answer', nonce: 'once', body: 'fine' });
  await new Promise((resolve) => first.socket.once('message', resolve)); // stored; the client dies before it reads this
  first.socket.terminate();
  const second = await open();
  const { messages } = await second.hello(invitation.token, 1);
  expect((messages as Frame[]).map((message) => message['seq'])).toEqual([2, 3]);
  expect(await second.answer('once', 'fine')).toEqual({ type: 'ack', nonce: 'once', seq: 2 });
  expect(await second.answer('next', 'tea')).toEqual({ type: 'ack', nonce: 'next', seq: 4 });
  expect(messagesIn(second).map(([seq]) => seq)).toEqual([4, 5]);
});

test("two windows of one person see each other's messages, in order and once; another person sees none", async () => {
  const [anna, ben] = (await invite(on, 2)) as [Invitation, Invitation];
  const [left, right, other] = [await welcomed(anna.token), await welcomed(anna.token), await welcomed(ben.token)];
  await Promise.all([left.answer('l', 'from the left'), right.answer('r', 'from the right')]);
  for (const window of [left, right]) {
    await until('it has seen all', () => messagesIn(window).length === 4);
    expect(messagesIn(window).map(([seq]) => seq)).toEqual([2, 3, 4, 5]);
  }
  await other.answer('o', 'mine');
  expect(messagesIn(other).map(([, , body]) => body)).toEqual(['mine', 'What helps?']);
  expect(JSON.stringify(left.frames)).not.toContain('mine');
});

test('a link has a number of windows, and one that is closed makes room for another', async () => {
  const windows = [];
  for (let window = 0; window < WINDOWS_PER_LINK_MAX; window++) windows.push(await welcomed());
  const late = await open();
  late.say({ type: 'hello', token: invitation.token, lastSeq: 0 });
  expect(await late.closed).toMatchObject({ code: 1013, reason: expect.stringMatching(/^retry after \d+ ms$/) });
  expect(late.frames).toMatchObject([{ type: 'error', code: 'rate_limited', retryAfterMs: expect.any(Number) }]);
  windows[0]?.socket.close();
  await windows[0]?.closed;
  await until('there is room', async () => {
    const again = await open();
    again.say({ type: 'hello', token: invitation.token, lastSeq: 0 });
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

test('a bad link closes with 4001 and an expired one with 4010, each with a reason before', async () => {
  const target = { orgId: invitation.orgId, id: invitation.reachOutId };
  const foreign = createCheckInToken('another installation, another secret key', target);
  const unsubscribe = createLinkToken(SECRET_KEY, 'unsubscribe', target);
  for (const token of ['nonsense', foreign, unsubscribe]) {
    const client = await open();
    client.say({ type: 'hello', token, lastSeq: 0 });
    expect((await client.closed).code).toBe(4001);
    expect(client.frames).toMatchObject([{ type: 'error', code: 'not_found' }]);
  }
  await sql`update campaigns set link_expires_at = now() where id = ${invitation.campaignId}`.execute(on.db);
  const late = await open();
  late.say({ type: 'hello', token: invitation.token, lastSeq: 0 });
  expect((await late.closed).code).toBe(4010);
  expect(late.frames).toMatchObject([{ type: 'error', code: 'gone' }]);
});

test('an answer before hello goes nowhere', async () => {
  const client = await open();
  expect(await client.answer('a', 'fine')).toMatchObject({ type: 'error', code: 'unauthenticated' });
});

test.each([
  ['no type', {}],
  ['an unknown type', { type: 'shout' }],
  ['an empty answer', { type: 'answer', nonce: 'n', body: '' }],
  ['an answer of blanks', { type: 'answer', nonce: 'n', body: ' \n ' }],
  ['an answer that is too long', { type: 'answer', nonce: 'n', body: 'x'.repeat(ANSWER_CHARS_MAX + 1) }],
  ['no nonce', { type: 'answer', nonce: '', body: 'fine' }],
  ['a nonce that is too long', { type: 'answer', nonce: 'n'.repeat(NONCE_CHARS_MAX + 1), body: 'fine' }],
  ['a field that nobody reads', { type: 'answer', nonce: 'n', body: 'fine', seq: 1 }],
  ['a place before the first', { type: 'hello', token: 'x', lastSeq: -1 }],
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
  const client = await openChat(second.config.chatUrl);
  await client.hello(invitation.token);
  await client.answer('a', 'fine');
  expect(await second.stop()).toBe(true);
  expect(await client.closed).toMatchObject({ code: 1012, reason: expect.stringMatching(/^retry after \d+ ms$/) });
  const again = await open();
  expect(await again.hello(invitation.token, 3)).toMatchObject({ lastSeq: 3, messages: [] });
});
