import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../../scripts/embedded/ports.ts';
import type { Role } from '../../../src/db/schema.ts';
import { createLog } from '../../../src/log.ts';
import type { SignedInActor } from '../../../src/modules/audit/audit.ts';
import { createWatchTicket } from '../../../src/modules/conversations/chat-tickets.ts';
import { CONVERSATION_MESSAGES_MAX } from '../../../src/modules/conversations/limits.ts';
import { openRedis } from '../../../src/redis/redis.ts';
import { start as startChat } from '../../../workers/chat.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { addSignedIn } from '../../organisation.ts';
import { createTcpGate, type TcpGate } from '../../tcp-gate.ts';
import { SECRET_KEY, startWorker, type TestWorker, testEnvironment, testRedisUrl } from '../../worker.ts';
import { askForTicket, type ChatClient, type Frame, openChat } from './chat-client.ts';
import { type Invitation, inviteOne } from './invitations.ts';

/** Two chat processes; the second one reaches Redis through a gate. */
let on: TestDatabase;
let first: TestWorker;
let second: TestWorker;
let redis: TcpGate;
let invitation: Invitation;
let actor: SignedInActor;
const clients: ChatClient[] = [];

beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  const url = new URL(testRedisUrl());
  redis = await createTcpGate(new URL(url), await freePort());
  url.port = String(redis.port);
  first = await startWorker('chat', startChat, await testEnvironment(on));
  second = await startWorker('chat', startChat, { ...(await testEnvironment(on)), REDIS_URL: url.href });
});
afterAll(async () => {
  await first?.stop();
  await second?.stop();
  await redis?.shut();
  await on.close();
});
beforeEach(async () => {
  invitation = await inviteOne(on);
  actor = await addSignedIn(on.db, invitation.orgId);
});
afterEach(() => {
  for (const { socket } of clients.splice(0)) socket.terminate();
});

async function open(worker: TestWorker, entry: string | { ticket: string }): Promise<ChatClient> {
  const client = await openChat(worker.config.chatUrl, entry);
  clients.push(client);
  return client;
}
async function welcomed(worker: TestWorker, lastSeq = 0): Promise<ChatClient> {
  const client = await open(worker, invitation.token);
  await client.hello(lastSeq);
  return client;
}
const ticket = (name = 'Mara', role: Role = 'admin', by = actor) =>
  createWatchTicket(
    SECRET_KEY,
    { orgId: invitation.orgId, reachOutId: invitation.reachOutId },
    { name, role, actor: by },
  );
async function watching(worker: TestWorker, given = ticket()): Promise<ChatClient> {
  const client = await open(worker, { ticket: given });
  client.say({ type: 'hello', lastSeq: 0 });
  await client.heard(({ type }) => type === 'watching' || type === 'error');
  return client;
}
/** Until both processes know of each other's tickets again. */
async function openRedisAgain(): Promise<void> {
  await redis.open();
  await until('the second process reaches Redis', async () => {
    const given = ticket();
    await watching(second, given);
    return watching(first, given).then(
      () => false,
      () => true,
    );
  });
}
const isMessage = (seq: number) => (frame: Frame) => frame.type === 'message' && frame['seq'] === seq;
const seqsOf = ({ frames }: ChatClient) => frames.filter(({ type }) => type === 'message').map(({ seq }) => seq);

test('a window on another process hears each message once and in order, and the end', async () => {
  const [here, there] = [await welcomed(first), await welcomed(second)];
  await here.answer('a', 'fine');
  await there.heard(isMessage(3));
  await there.answer('b', 'tea');
  await here.heard(isMessage(5));
  await here.answer('c', 'no');
  for (const client of [here, there]) {
    await client.heard(({ type }) => type === 'finished');
    expect(seqsOf(client)).toEqual([2, 3, 4, 5, 6, 7]);
    expect(client.frames.at(-1)).toEqual({ type: 'finished' });
  }
});

test('what was said while Redis was gone is heard within seconds', async () => {
  const [here, there] = [await welcomed(first), await welcomed(second)];
  await redis.shut();
  await here.answer('a', 'fine');
  await there.heard(isMessage(3));
  expect(await there.answer('b', 'tea')).toMatchObject({ type: 'ack', seq: 4 });
  await here.heard(isMessage(5));
  expect([seqsOf(here), seqsOf(there)]).toEqual([
    [2, 3, 4, 5],
    [2, 3, 4, 5],
  ]);
  await openRedisAgain();
});

test('without Redis people get their tickets and get in, and a ticket is good once on the process', async () => {
  await redis.shut();
  const answer = (await askForTicket(second.config.chatUrl, invitation.token)) as { ticket: string };
  const client = await open(second, answer);
  expect(await client.hello()).toMatchObject({ type: 'welcome' });
  await expect(open(second, answer)).rejects.toThrow('401');
  await openRedisAgain();
});

test('somebody of the people team watches, sees who is there and who types, and steps in', async () => {
  const employee = await welcomed(first);
  const mara = await watching(second);
  expect(mara.frames[0]).toMatchObject({ type: 'error', code: 'not_found' });

  await employee.answer('a', 'fine');
  const watcher = await watching(second);
  expect(watcher.frames[0]).toMatchObject({ type: 'watching', lastSeq: 3, canSay: true, finished: false });
  await watcher.heard((frame) => frame.type === 'present' && frame['isThere'] === true);

  employee.say({ type: 'typing' });
  expect(await watcher.heard(({ type }) => type === 'typing')).toEqual({ type: 'typing', name: null });
  watcher.say({ type: 'typing' });
  expect(await employee.heard(({ type }) => type === 'typing')).toEqual({ type: 'typing', name: 'Mara' });

  watcher.say({ type: 'say', nonce: 'm1', text: 'I will look into it.' });
  expect(await watcher.heard(({ type }) => type === 'ack')).toEqual({ type: 'ack', nonce: 'm1', seq: 4 });
  expect(await employee.heard(isMessage(4))).toMatchObject({
    sender: 'person',
    author: 'Mara',
    body: 'I will look into it.',
  });
  const entries = await on.db
    .selectFrom('audit_log')
    .where('action', '=', 'conversation.stepped-into')
    .selectAll()
    .execute();
  expect(entries).toMatchObject([{ org_id: invitation.orgId, actor_id: actor.userId, actor: 'Mara' }]);
  // The question that waited still does.
  expect(await employee.answer('b', 'tea', 3)).toMatchObject({ type: 'ack', seq: 5 });
  expect(await watcher.heard(isMessage(6))).toMatchObject({ sender: 'bot' });

  employee.socket.close();
  await watcher.heard((frame) => frame.type === 'present' && frame['isThere'] === false);
});

test('the same words under the same nonce are said once, and the conversation keeps room for its questions', async () => {
  const employee = await welcomed(first);
  await employee.answer('a', 'fine');
  const watcher = await watching(first);
  for (let nth = 0; nth < 2; nth++) watcher.say({ type: 'say', nonce: 'once', text: 'Hello' });
  await until('both are acknowledged', () => watcher.frames.filter(({ type }) => type === 'ack').length === 2);
  expect(seqsOf(employee)).toEqual([2, 3, 4]);
  await on.db
    .updateTable('conversations')
    .set({ last_seq: CONVERSATION_MESSAGES_MAX - 4 })
    .where('reach_out_id', '=', invitation.reachOutId)
    .execute();
  watcher.say({ type: 'say', nonce: 'more', text: 'Hello' });
  expect(await watcher.heard(({ type }) => type === 'error')).toMatchObject({ code: 'conflict', nonce: 'more' });
});

test('a viewer reads and does not write; a ticket works once; without one nobody watches', async () => {
  const employee = await welcomed(first);
  await employee.answer('a', 'fine');
  const given = ticket('Viewer', 'viewer', await addSignedIn(on.db, invitation.orgId, 'viewer'));
  const shared = await openRedis(testRedisUrl(), createLog('test', 'silent'));
  onTestFinished(() => shared.disconnect());
  const { id } = JSON.parse(Buffer.from(given.split('.')[0] as string, 'base64url').toString());
  const viewer = await watching(second, given);
  expect(viewer.frames[0]).toMatchObject({ type: 'watching', canSay: false });
  await until('Redis knows that it was used', () => shared.exists(`tardigrade:ticket:${id}`));
  viewer.say({ type: 'say', nonce: 'n', text: 'Hello' });
  expect(await viewer.heard(({ type }) => type === 'error')).toMatchObject({ code: 'forbidden', nonce: 'n' });
  for (const again of [given, 'made.up', invitation.token])
    for (const worker of [first, second]) await expect(watching(worker, again)).rejects.toThrow('401');
});
