import type { Socket } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  REFUSED_BODIES_BYTES_PER_SECOND_MAX,
  REFUSED_BODY_LINGER_MS,
  REFUSED_PIECE_BYTES_MIN,
} from '../../src/limits.ts';
import { createPacedDrop } from '../../src/process/paced-drop.ts';

/** What the rate allows in a part of the time for which a refused connection lingers. */
const PART_MS = 0.4 * REFUSED_BODY_LINGER_MS;
const PART = Buffer.alloc((REFUSED_BODIES_BYTES_PER_SECOND_MAX * PART_MS) / 1_000);

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

test('what was paused is read, and the rest waits until the rate allows it', async () => {
  const body = bodyOf(PART, Buffer.from('more'));
  body.pause();
  createPacedDrop()(body);
  await streamsToMove();
  expect([body.isPaused(), body.readableDidRead, body.readableEnded]).toEqual([true, true, false]);
  vi.advanceTimersByTime(PART_MS - 1);
  await streamsToMove();
  expect(body.readableEnded).toBe(false);
  vi.advanceTimersByTime(2);
  await streamsToMove();
  expect(body.readableEnded).toBe(true);
});

test('the rate is one of all bodies together', async () => {
  const drop = createPacedDrop();
  const bodies = [bodyOf(PART, Buffer.from('more')), bodyOf(PART, Buffer.from('more'))];
  for (const body of bodies) drop(body);
  await streamsToMove();
  vi.advanceTimersByTime(PART_MS + 1);
  await streamsToMove();
  expect(bodies.map((body) => body.readableEnded)).toEqual([true, false]);
  vi.advanceTimersByTime(PART_MS);
  await streamsToMove();
  expect(bodies.map((body) => body.readableEnded)).toEqual([true, true]);
});

test('a piece of a few bytes counts as REFUSED_PIECE_BYTES_MIN', async () => {
  const pieces = PART.length / REFUSED_PIECE_BYTES_MIN;
  const body = bodyOf(...Array.from({ length: pieces + 1 }, () => Buffer.from(' ')));
  createPacedDrop()(body);
  let read = 0;
  body.on('data', () => void read++);
  for (let ms = 0; ms < PART_MS / 2; ms++) {
    await streamsToMove();
    vi.advanceTimersByTime(1);
  }
  expect(read).toBeLessThan(pieces);
  for (let ms = 0; ms < PART_MS; ms++) {
    await streamsToMove();
    vi.advanceTimersByTime(1);
  }
  expect(read).toBe(pieces + 1);
});

test('while a body waits, nothing is read from its connection either', async () => {
  const socket = new PassThrough();
  const body = Object.assign(new Readable({ read() {} }), { socket: socket as unknown as Socket });
  createPacedDrop()(body);
  body.push(PART);
  await streamsToMove();
  expect(socket.isPaused()).toBe(true);
  vi.advanceTimersByTime(PART_MS + 1);
  expect(socket.isPaused()).toBe(false);
});

test('a body whose turn would come too late is left unread, and nothing waits for it', async () => {
  const drop = createPacedDrop();
  const bodies = Array.from({ length: 5 }, () => bodyOf(PART, PART));
  for (const body of bodies) {
    drop(body);
    await streamsToMove();
  }
  expect(bodies.map((body) => body.readableDidRead)).toEqual([true, true, true, false, false]);
  expect(vi.getTimerCount()).toBe(2);
});

test('a body that has been closed does not wait for its turn any more', async () => {
  const body = bodyOf(PART, PART);
  createPacedDrop()(body);
  await streamsToMove();
  expect(vi.getTimerCount()).toBe(1);
  body.destroy();
  await streamsToMove();
  expect(vi.getTimerCount()).toBe(0);
});

test('a body of many pieces is listened to once', async () => {
  const body = bodyOf(...Array.from({ length: 30 }, () => PART));
  const before = body.listenerCount('close');
  createPacedDrop()(body);
  for (let piece = 0; piece < 20; piece++) {
    await streamsToMove();
    expect(body.listenerCount('close')).toBe(before + 1);
    vi.advanceTimersByTime(PART_MS + 1);
  }
});

test('what is little is dropped at once', async () => {
  const body = bodyOf(Buffer.alloc(1_000));
  createPacedDrop()(body);
  await streamsToMove();
  expect(body.readableEnded).toBe(true);
});

/** Streams hand over their pieces in turns of the event loop; its clock stands still. */
async function streamsToMove(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function bodyOf(...pieces: Buffer[]): Readable {
  return Readable.from(pieces, { objectMode: false });
}
