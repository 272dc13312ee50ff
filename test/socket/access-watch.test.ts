import { afterEach, expect, test, vi } from 'vitest';
import { ACCESS_CHECK_HOLDERS } from '../../src/limits.ts';
import { type Access, type HeldSocket, watchAccess } from '../../src/socket/access-watch.ts';
import { createTicketDesk, type Holder } from '../../src/socket/ticket.ts';
import { openSocket } from './client.ts';
import { startSocketServer } from './socket-server.ts';

const NEVER_MS = 1_000_000;
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const holder = (userId: number, more: Partial<Holder> = {}): Holder => ({ orgId: 1, userId, role: 'admin', ...more });

/** Of users that are not in it the access is as it was. */
function watchTogether(access: Map<number, Access> = new Map(), everyMs = NEVER_MS) {
  const asked: number[][] = [];
  const errors: unknown[] = [];
  const watch = watchAccess({
    async read(holders) {
      asked.push(holders.map(({ userId }) => userId));
      return holders.map(({ userId }) => access.get(userId) ?? 'same');
    },
    onError: (error) => errors.push(error),
    everyMs,
  });
  stops.push(watch.close);
  return { watch, asked, errors };
}

function fakeSocket() {
  const heard: unknown[] = [];
  const socket: HeldSocket = {
    send: (message) => void heard.push(message),
    close: (code) => void heard.push(code),
    move: (clients) => void heard.push(`moved with ${clients}`),
  };
  return { socket, heard };
}

test('a hint closes the sockets of those whose access has ended, with a reason, and moves those whose role has changed', async () => {
  const access = new Map<number, Access>([
    [1, 'ended'],
    [2, 'changed'],
  ]);
  const { watch } = watchTogether(access);
  const [ended, changed, same, elsewhere] = [fakeSocket(), fakeSocket(), fakeSocket(), fakeSocket()];
  watch.add(ended.socket, holder(1));
  watch.add(changed.socket, holder(2));
  watch.add(same.socket, holder(3));
  watch.add(elsewhere.socket, holder(1, { orgId: 2 }));
  watch.heard(1);
  await expect.poll(() => ended.heard.length).toBe(2);
  expect(ended.heard).toEqual([expect.objectContaining({ type: 'error', code: 'unauthenticated' }), 4003]);
  expect(changed.heard).toEqual(['moved with 1']);
  expect([same.heard, elsewhere.heard]).toEqual([[], []]);
});

test('without any hint it is found out after the interval', async () => {
  const access = new Map<number, Access>();
  const { watch, asked } = watchTogether(access, 10);
  const one = fakeSocket();
  watch.add(one.socket, holder(1));
  await expect.poll(() => asked.length).toBeGreaterThan(1);
  expect(one.heard).toEqual([]);
  access.set(1, 'ended');
  await expect.poll(() => one.heard.length).toBe(2);
});

test('several sockets of one holder are one question, and a socket that has ended is none', async () => {
  const { watch, asked } = watchTogether();
  const [first, second, gone] = [fakeSocket(), fakeSocket(), fakeSocket()];
  watch.add(first.socket, holder(1, { sessionId: 7 }));
  watch.add(second.socket, holder(1, { sessionId: 7 }));
  watch.add(gone.socket, holder(2));
  watch.remove(gone.socket);
  watch.heard(1);
  await expect.poll(() => asked).toEqual([[1]]);
  watch.heard(99); // nobody is here from there
  expect(asked).toHaveLength(1);
});

test('more holders than a statement takes are asked about in parts', async () => {
  const { watch, asked } = watchTogether();
  for (let n = 0; n <= ACCESS_CHECK_HOLDERS; n++) watch.add(fakeSocket().socket, holder(n));
  watch.heard(1);
  await expect.poll(() => asked.map((one) => one.length)).toEqual([ACCESS_CHECK_HOLDERS, 1]);
});

test('while the database does not answer nobody is closed, and afterwards it is asked again', async () => {
  const read = vi.fn().mockRejectedValueOnce(new Error('gone')).mockResolvedValue(['ended']);
  const errors: unknown[] = [];
  const watch = watchAccess({ read, onError: (error) => errors.push(error), everyMs: NEVER_MS });
  stops.push(watch.close);
  const one = fakeSocket();
  watch.add(one.socket, holder(1));
  watch.heard(1);
  await expect.poll(() => errors.length).toBe(1);
  expect(one.heard).toEqual([]);
  watch.heard(1);
  await expect.poll(() => one.heard.at(-1)).toBe(4003);
});

test('a change that is heard of while an earlier one is looked up is looked up as well', async () => {
  const reads: ((access: Access[]) => void)[] = [];
  const watch = watchAccess({
    read: () => new Promise((resolve) => reads.push(resolve)),
    onError: () => undefined,
    everyMs: NEVER_MS,
  });
  stops.push(watch.close);
  const [one, other] = [fakeSocket(), fakeSocket()];
  watch.add(one.socket, holder(1));
  watch.add(other.socket, holder(2));
  watch.heard(1);
  watch.heard(1);
  reads.shift()?.(['ended', 'same']); // it was read before the second change
  await expect.poll(() => reads.length).toBe(1);
  reads.shift()?.(['ended']);
  await expect.poll(() => other.heard.at(-1)).toBe(4003);
});

test('a real socket is closed with the code, hears why, and one of a link has no holder', async () => {
  const access = new Map<number, Access>([[1, 'ended']]);
  const { watch } = watchTogether(access);
  const desk = createTicketDesk<{ by?: Holder }>({
    ...{ secretKey: 'a secret key', purpose: 'test' },
    remember: async () => true,
  });
  const ticketing = { desk, grantsOf: () => ({}), linkOf: () => 'link', holderOf: ({ by }: { by?: Holder }) => by };
  const server = await startSocketServer({
    access: watch,
    endpoints: [{ path: '/watched', ticketing, handler: { message: async () => undefined, closed: () => undefined } }],
  });
  stops.push(server.close);
  const open = (grants: object) =>
    openSocket(`${server.address}/watched`, {}, ['ticket', `ticket.${desk.create(grants)}`]);
  const [known, other] = [await open({ by: holder(1) }), await open({})];
  watch.heard(1);
  expect(await known.closed).toEqual({ code: 4003, reason: 'Your access has ended. Sign in again.' });
  expect(known.frames).toEqual([expect.objectContaining({ type: 'error', code: 'unauthenticated' })]);
  expect(other.socket.readyState).toBe(other.socket.OPEN);
  other.socket.terminate();
});
