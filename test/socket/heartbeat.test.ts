import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SOCKET_PING_MS, SOCKET_PING_TICK_MS, SOCKETS_MAX } from '../../src/limits.ts';
import { type Heartbeat, type Pinged, startHeartbeat } from '../../src/socket/heartbeat.ts';

let heartbeat: Heartbeat;
beforeEach(() => {
  vi.useFakeTimers();
  heartbeat = startHeartbeat();
});
afterEach(() => {
  heartbeat.stop();
  vi.useRealTimers();
});

function createSocket() {
  const socket = { pings: 0, isTerminated: false, isAlive: true, heard: true };
  const pinged: Pinged = {
    wasHeard() {
      const { heard } = socket;
      socket.heard = false;
      return heard;
    },
    ping() {
      socket.pings++;
      socket.heard = socket.isAlive;
    },
    terminate: () => {
      socket.isTerminated = true;
    },
  };
  return Object.assign(socket, { pinged });
}

test('a socket that stops answering is terminated in the second round, and one that answers stays', () => {
  const [dead, alive] = [createSocket(), createSocket()];
  dead.isAlive = false;
  heartbeat.add(dead.pinged);
  heartbeat.add(alive.pinged);
  vi.advanceTimersByTime(SOCKET_PING_MS);
  expect([dead.pings, dead.isTerminated]).toEqual([1, false]);
  vi.advanceTimersByTime(SOCKET_PING_MS);
  expect([dead.pings, dead.isTerminated]).toEqual([1, true]);
  vi.advanceTimersByTime(SOCKET_PING_MS);
  expect([alive.pings, alive.isTerminated]).toEqual([3, false]);
});

test('sockets that came at the same moment are pinged in slices, each once per period', () => {
  const sockets = Array.from({ length: SOCKETS_MAX }, createSocket);
  for (const { pinged } of sockets) heartbeat.add(pinged);
  const pingsSoFar = () => sockets.reduce((sum, { pings }) => sum + pings, 0);
  const ticks = SOCKET_PING_MS / SOCKET_PING_TICK_MS;
  for (let tick = 1; tick <= ticks; tick++) {
    const before = pingsSoFar();
    vi.advanceTimersByTime(SOCKET_PING_TICK_MS);
    expect(pingsSoFar() - before).toBeLessThanOrEqual(Math.ceil(SOCKETS_MAX / ticks));
  }
  expect(new Set(sockets.map(({ pings }) => pings))).toEqual(new Set([1]));
});

test('a socket that was removed is not pinged any more', () => {
  const socket = createSocket();
  heartbeat.add(socket.pinged)();
  vi.advanceTimersByTime(SOCKET_PING_MS * 3);
  expect([socket.pings, socket.isTerminated]).toEqual([0, false]);
});
