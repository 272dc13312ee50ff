import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Movable, startRebalancing } from '../../src/socket/rebalancing.ts';
import { until } from '../database.ts';
import { openSocket, type SocketClient } from './client.ts';
import { startSocketServer, type TestSocketServer } from './socket-server.ts';

describe('moves', () => {
  const TIMING = { afterMs: 1_000, overMs: 3_000, tickMs: 100 };
  let clients: Set<Movable & { isIdle: boolean }>;
  let moved: { at: number; cameAt: number; of: number }[];
  let since: number;
  let stop: () => void;

  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
    vi.advanceTimersByTime(100);
    [clients, moved, since] = [new Set(), [], Number.NEGATIVE_INFINITY];
    stop = startRebalancing(clients, () => since, TIMING);
  });
  afterEach(() => {
    stop();
    vi.useRealTimers();
  });

  function come(count: number): void {
    for (let n = 0; n < count; n++) {
      const client = {
        ...{ cameAt: performance.now(), isIdle: true },
        move(of: number) {
          clients.delete(client);
          moved.push({ at: performance.now(), cameAt: client.cameAt, of });
        },
      };
      clients.add(client);
      vi.advanceTimersByTime(1);
    }
  }

  test('nobody is moved while there is no new process', () => {
    come(100);
    vi.advanceTimersByTime(3_600_000);
    expect(moved).toEqual([]);
  });

  test('everybody who came before the new process is moved once, in order and evenly; who came later stays', () => {
    come(90);
    since = performance.now();
    come(10);
    const late = clients.size - 90;
    vi.advanceTimersByTime(3_600_000);
    expect(moved).toHaveLength(90);
    expect(clients.size).toBe(late);
    expect(moved.map(({ cameAt }) => cameAt)).toEqual(moved.map(({ cameAt }) => cameAt).toSorted((a, b) => a - b));
    const perTick = Map.groupBy(moved, ({ at }) => at);
    expect(Math.max(...[...perTick.values()].map((some) => some.length))).toBeLessThanOrEqual(4);
    expect(moved[0]?.at).toBeGreaterThanOrEqual(since + TIMING.afterMs);
    expect(moved.at(-1)?.at).toBeLessThanOrEqual(since + TIMING.afterMs + TIMING.overMs + TIMING.tickMs);
  });

  test('a client whose message is being handled has its turn later', () => {
    come(3);
    const [busy] = clients as Iterable<{ isIdle: boolean }>;
    if (busy) busy.isIdle = false;
    since = performance.now();
    vi.advanceTimersByTime(10_000);
    expect(moved).toHaveLength(2);
    if (busy) busy.isIdle = true;
    vi.advanceTimersByTime(100);
    expect(moved).toHaveLength(3);
  });

  test('another process that comes moves everybody again, once', () => {
    for (let process = 0; process < 2; process++) {
      come(5);
      since = performance.now();
      vi.advanceTimersByTime(60_000);
    }
    expect(moved).toHaveLength(10);
  });
});

describe('a server', () => {
  let server: TestSocketServer;
  let since = Number.NEGATIVE_INFINITY;
  const hold = Promise.withResolvers<void>();
  const begun: unknown[] = [];
  beforeEach(async () => {
    server = await startSocketServer({
      rebalancing: { afterMs: 10, overMs: 50, tickMs: 10 },
      endpoints: [
        {
          path: '/moved',
          othersSince: () => since,
          handler: {
            async message(connection, message) {
              connection.welcomed();
              begun.push(message);
              if (message === 'slow') await hold.promise;
              connection.send({ type: 'ack', message });
            },
            closed: () => undefined,
          },
        },
      ],
    });
  });
  afterEach(() => server.close());

  async function welcomed(): Promise<SocketClient> {
    const client = await openSocket(`${server.address}/moved`);
    client.socket.send('"hello"');
    await client.heard(({ type }) => type === 'ack');
    return client;
  }

  test('moves its clients with 1012 and a short wait, and answers first what it has begun', async () => {
    const [idle, busy] = [await welcomed(), await welcomed()];
    busy.socket.send('"slow"');
    await until('it has begun', () => begun.includes('slow'));
    since = performance.now();
    const { code, reason } = await idle.closed;
    expect(code).toBe(1012);
    expect(Number(/^retry after (\d+) ms$/.exec(reason)?.[1])).toBeLessThanOrEqual(1_000);
    expect(busy.socket.readyState).toBe(busy.socket.OPEN);
    hold.resolve();
    expect((await busy.closed).code).toBe(1012);
    expect(busy.frames.at(-1)).toEqual({ type: 'ack', message: 'slow' });
    const after = await welcomed();
    after.socket.send('"again"');
    await after.heard((frame) => frame['message'] === 'again');
    expect(await server.metrics.text()).toMatch(/tardigrade_sockets_moved_total\{.*\} 2/);
  });
});
