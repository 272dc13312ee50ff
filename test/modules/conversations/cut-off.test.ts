import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { freePort } from '../../../scripts/embedded/ports.ts';
import { ACCESS_CHECK_MS } from '../../../src/limits.ts';
import { start as startChat } from '../../../workers/chat.ts';
import type { ApiClient } from '../../api-client.ts';
import { until } from '../../database.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { createTcpGate, type TcpGate } from '../../tcp-gate.ts';
import { startWorker, type TestWorker, testEnvironment, testRedisUrl } from '../../worker.ts';
import { type ChatClient, openChat } from './chat-client.ts';
import { type Invitation, inviteOne } from './invitations.ts';

/**
 * The api and two chat processes; the second one reaches Redis through a gate. Somebody watches on both. The chats check
 * access only when the test lets the time pass: what happens before that, happens because of a hint.
 */
let api: RunningApi;
let chats: TestWorker[];
let gate: TcpGate;
let invitation: Invitation;
let conversationId: number;
let owner: ApiClient;
const open: ChatClient[] = [];

beforeAll(async () => {
  api = await runApi();
  const url = new URL(testRedisUrl());
  gate = await createTcpGate(new URL(url), await freePort());
  url.port = String(gate.port);
  const environment = async () => testEnvironment(api.database);
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  chats = [
    await startWorker('chat', startChat, await environment()),
    await startWorker('chat', startChat, { ...(await environment()), REDIS_URL: url.href }),
  ];
});
afterAll(async () => {
  for (const chat of chats ?? []) await chat.stop();
  vi.useRealTimers();
  await gate?.shut();
  await api?.stop();
});
beforeEach(async () => {
  invitation = await inviteOne(api.database);
  owner = await api.signedIn(invitation.orgId, 'owner');
  const employee = await openChat(first(chats).config.chatUrl, invitation.token);
  open.push(employee);
  await employee.hello();
  await employee.answer('a', 'fine');
  const { id } = await api.database.db
    .selectFrom('conversations')
    .where('reach_out_id', '=', invitation.reachOutId)
    .select('id')
    .executeTakeFirstOrThrow();
  conversationId = id;
});
afterEach(() => {
  for (const { socket } of open.splice(0)) socket.terminate();
});

test('a member who is removed is cut off in all processes at once, with a code and a reason', async () => {
  const { client, watching } = await watcher('admin');
  const { body: me } = await client.get<{ user: { id: number } }>('/api/v1/me');
  expect((await owner.send('DELETE', `/api/v1/users/${me.user.id}`)).status).toBe(204);
  await expectCutOff(watching);
});

test('a session that is ended takes its own sockets with it, and those of no other session', async () => {
  const [one, other] = [await watcher('admin'), await watcher('admin')];
  expect((await one.client.send('DELETE', '/api/v1/sessions/current')).status).toBe(204);
  await expectCutOff(one.watching);
  for (const { socket } of [...other.watching, ...open.slice(0, 1)]) expect(socket.readyState).toBe(socket.OPEN);
});

test('a key that is revoked takes its sockets with it', async () => {
  const { body: key } = await owner.send<{ id: number; key: string }>('POST', '/api/v1/api-keys', {
    ...{ name: 'Watches', scope: 'write' },
  });
  const watching = await watchWith((path) =>
    owner.send('POST', path, undefined, { authorization: `Bearer ${key.key}` }),
  );
  expect((await owner.send('DELETE', `/api/v1/api-keys/${key.id}`)).status).toBe(204);
  await expectCutOff(watching);
});

test('somebody who becomes a viewer is told to connect again, and then only reads', async () => {
  const { client, watching } = await watcher('admin');
  const { body: me } = await client.get<{ user: { id: number } }>('/api/v1/me');
  const seen = { 'if-match': '"admin"' };
  expect((await owner.send('PATCH', `/api/v1/users/${me.user.id}`, { role: 'viewer' }, seen)).status).toBe(200);
  for (const { closed } of watching) expect((await closed).code).toBe(1012);
  const [again] = await watchWith((path) => client.send('POST', path));
  expect(again?.frames[0]).toMatchObject({ type: 'watching', canSay: false });
});

test('a process without Redis finds it out by itself, at its next check', async () => {
  const { client, watching } = await watcher('admin');
  const [hearing, deaf] = watching as [ChatClient, ChatClient];
  await gate.shut();
  expect((await client.send('DELETE', '/api/v1/sessions/current')).status).toBe(204);
  await expectCutOff([hearing]);
  expect(deaf.socket.readyState).toBe(deaf.socket.OPEN);
  vi.advanceTimersByTime(ACCESS_CHECK_MS);
  await expectCutOff([deaf]);
  await gate.open();
});

async function watcher(role: 'admin' | 'viewer') {
  const client = await api.signedIn(invitation.orgId, role);
  return { client, watching: await watchWith((path) => client.send('POST', path)) };
}

/** On both processes. */
async function watchWith(ask: (path: string) => Promise<{ body: unknown }>): Promise<ChatClient[]> {
  const watching: ChatClient[] = [];
  for (const { config } of chats) {
    const path = `/api/v1/conversations/${conversationId}/ticket`;
    // Until the replica knows the conversation.
    const ticket = await until('a ticket', async () => ((await ask(path)).body as { ticket?: string }).ticket);
    const client = await openChat(config.chatUrl, { ticket });
    client.say({ type: 'hello', lastSeq: 0 });
    await client.heard(({ type }) => type === 'watching');
    watching.push(client);
  }
  open.push(...watching);
  return watching;
}

async function expectCutOff(watching: readonly ChatClient[]): Promise<void> {
  for (const { closed, frames } of watching) {
    expect(await closed).toEqual({ code: 4003, reason: 'Your access has ended. Sign in again.' });
    expect(frames.at(-1)).toMatchObject({ type: 'error', code: 'unauthenticated' });
  }
}

function first(all: readonly TestWorker[]): TestWorker {
  return all[0] as TestWorker;
}
