import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ANSWER_CHARS_MAX, isVisible } from '../../../web/modules/conversations/protocol.js';
import { start as startChat } from '../../../workers/chat.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { startWorker, type TestWorker, testEnvironment } from '../../worker.ts';
import { openChat, openConversation, type Person } from './chat-client.ts';
import { type Invitation, invite, inviteOne } from './invitations.ts';

/** The page's client against the real server. */
let on: TestDatabase;
let chat: TestWorker;
const people: Person[] = [];

beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  chat = await startWorker('chat', startChat, await testEnvironment(on));
});
afterEach(() => {
  for (const person of people.splice(0)) person.close();
});
afterAll(async () => {
  await chat?.stop();
  await on.close();
});

function come(token: string, address = chat.config.chatUrl): Person {
  const person = openConversation(address, token);
  people.push(person);
  return person;
}
const seqsOf = ({ messages }: Person) => messages.map(({ seq }) => seq);

test('a conversation whose connection breaks after every answer is heard once, in order, and stored once', async () => {
  const { token, orgId } = await inviteOne(on);
  const person = come(token);
  for (const text of ['fine', 'tea', 'no'])
    expect(await person.answer(text, { cut: true })).toEqual(expect.any(Number));
  await person.finished();
  expect(seqsOf(person)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(person.lost).toBeGreaterThanOrEqual(3);
  expect(person.gaps).toBe(0);
  const stored = await on.db
    .selectFrom('messages')
    .where('org_id', '=', orgId)
    .where('sender', '=', 'employee')
    .select('body')
    .orderBy('seq')
    .execute();
  expect(stored.map(({ body }) => body)).toEqual(['fine', 'tea', 'no']);
});

test('a client whose server restarts comes back by itself and goes on', async () => {
  const { token } = await inviteOne(on);
  const environment = await testEnvironment(on);
  const first = await startWorker('chat', startChat, environment);
  const person = come(token, first.config.chatUrl);
  expect(await person.answer('fine')).toBe(2);
  await first.stop();
  const second = await startWorker('chat', startChat, environment);
  expect(await person.answer('tea')).toBe(4);
  expect(seqsOf(person)).toEqual([1, 2, 3, 4, 5]);
  expect(person.lost).toBeGreaterThan(0);
  person.close();
  await second.stop();
});

test('two windows of one person show the same, and both end when one has answered the last question', async () => {
  const { token } = await inviteOne(on);
  const [left, right] = [come(token), come(token)];
  await left.answer('fine');
  await right.answer('tea');
  await left.answer('no');
  await Promise.all([left.finished(), right.finished()]);
  // The first question is only stored with the first answer; until then it has no time of its own.
  const shown = ({ messages }: Person) => messages.map(({ seq, sender, body }) => ({ seq, sender, body }));
  expect(shown(right)).toEqual(shown(left));
  expect(seqsOf(left)).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('a question with a scale takes a choice from one window, and both windows show it', async () => {
  const questions = [{ text: 'How was your week?', answer: 'scale' as const }];
  const [{ token }] = (await invite(on, 1, { questions })) as [Invitation];
  const [left, right] = [come(token), come(token)];
  expect(await left.answer('in words')).toMatchObject({ code: 'invalid' });
  expect(await left.answer(4)).toBe(2);
  await Promise.all([left.finished(), right.finished()]);
  for (const { messages } of [left, right]) expect(messages[1]).toMatchObject({ sender: 'employee', body: '4 of 5' });
});

test('the client and the server agree on the longest answer, whatever it is written with', async () => {
  const { token } = await inviteOne(on);
  const client = await openChat(chat.config.chatUrl, token);
  await client.hello();
  expect(await client.answer('long', '🙂'.repeat(ANSWER_CHARS_MAX + 1))).toMatchObject({ code: 'invalid' });
  expect(await client.answer('full', '🙂'.repeat(ANSWER_CHARS_MAX))).toMatchObject({ type: 'ack' });
});

test.each(['', ' \n', '\u200b', '\ufeff\u2066', '\u0301', '\u3164', '\u2800', '🫠', '.', '0', '你'])(
  'the client and the server agree whether %j is an answer',
  async (text) => {
    const { token } = await inviteOne(on);
    const client = await openChat(chat.config.chatUrl, token);
    await client.hello();
    const { type } = await client.answer('n', text);
    expect(type).toBe(isVisible(text) ? 'ack' : 'error');
  },
);
