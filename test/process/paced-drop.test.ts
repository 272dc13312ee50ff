import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { REFUSED_BODIES_BYTES_PER_SECOND_MAX } from '../../src/limits.ts';
import { createPacedDrop } from '../../src/process/paced-drop.ts';

const SECOND_OF_BYTES = Buffer.alloc(REFUSED_BODIES_BYTES_PER_SECOND_MAX);

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

test('what was paused is read, and the rest waits until the rate allows it', async () => {
  const body = bodyOf(SECOND_OF_BYTES, Buffer.from('more'));
  body.pause();
  createPacedDrop()(body);
  await streamsToMove();
  expect([body.isPaused(), body.readableDidRead, body.readableEnded]).toEqual([true, true, false]);
  vi.advanceTimersByTime(999);
  await streamsToMove();
  expect(body.readableEnded).toBe(false);
  vi.advanceTimersByTime(2);
  await streamsToMove();
  expect(body.readableEnded).toBe(true);
});

test('the rate is one of all bodies together', async () => {
  const drop = createPacedDrop();
  const bodies = [bodyOf(SECOND_OF_BYTES, Buffer.from('more')), bodyOf(SECOND_OF_BYTES, Buffer.from('more'))];
  for (const body of bodies) drop(body);
  await streamsToMove();
  vi.advanceTimersByTime(1_001);
  await streamsToMove();
  expect(bodies.map((body) => body.readableEnded)).toEqual([true, false]);
  vi.advanceTimersByTime(1_000);
  await streamsToMove();
  expect(bodies.map((body) => body.readableEnded)).toEqual([true, true]);
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
