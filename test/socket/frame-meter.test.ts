import { afterEach, expect, test, vi } from 'vitest';
import { createRandom } from '../../bench/load/random.ts';
import { createFrameMeter, type FrameLimits } from '../../src/socket/frame-meter.ts';
import { frameOf, OPCODE } from './socket-server.ts';

const NONE: FrameLimits = { messages: 1_000_000, frames: 1_000_000, bytes: 1_000_000_000 };
afterEach(() => vi.useRealTimers());

/** How many of the chunks are admitted before the first that is not. */
function admitted(chunks: readonly Uint8Array[], limits: Partial<FrameLimits>): number {
  const meter = createFrameMeter();
  const refused = chunks.findIndex((chunk) => !meter.admit(chunk, { ...NONE, ...limits }));
  return refused === -1 ? chunks.length : refused;
}

test.each([
  ['messages', OPCODE.text, { messages: 3 }],
  ['pings', OPCODE.ping, { frames: 3 }],
  ['pongs', OPCODE.pong, { frames: 3 }],
  ['fragments', 0, { frames: 3 }],
])('%s are counted, and the fourth is too many', (_, opcode, limits) => {
  expect(
    admitted(
      Array.from({ length: 6 }, () => frameOf(opcode, 'x')),
      limits,
    ),
  ).toBe(3);
});

test('many frames in one chunk are as many as in many chunks', () => {
  const chunk = Buffer.concat(Array.from({ length: 4 }, () => frameOf(OPCODE.pong)));
  expect(admitted([chunk], { frames: 4 })).toBe(1);
  expect(admitted([chunk], { frames: 3 })).toBe(0);
});

test('bytes count before their frame is complete', () => {
  const start = frameOf(OPCODE.text, 'x'.repeat(60_000)).subarray(0, 1_000);
  expect(admitted([start], { bytes: 999 })).toBe(0);
});

test('frames of every length are counted right wherever the chunks are cut', () => {
  const random = createRandom(3);
  const lengths = [0, 1, 125, 126, 127, 200, 65_535, 5, 70_000, 0, 0];
  const frames = lengths.map((length) =>
    length > 65_535 ? longFrame(length) : frameOf(OPCODE.text, 'x'.repeat(length)),
  );
  const bytes = Buffer.concat(frames);
  for (let round = 0; round < 50; round++) {
    const meter = createFrameMeter();
    let seen = true;
    for (let at = 0; at < bytes.length; ) {
      const step = 1 + random.below(round < 10 ? 3 : 5_000);
      seen = meter.admit(bytes.subarray(at, at + step), { ...NONE, frames: lengths.length, messages: lengths.length });
      if (!seen) break;
      at += step;
    }
    expect(seen).toBe(true);
    expect(meter.admit(frameOf(OPCODE.ping), { ...NONE, frames: lengths.length })).toBe(false);
  }
});

test('a close frame is noticed when it is complete, and nothing counts after it', () => {
  const meter = createFrameMeter();
  const close = frameOf(8, '\u0003\u00e8');
  expect(meter.admit(close.subarray(0, 4), NONE)).toBe(true);
  expect(meter.hasClosed).toBe(false);
  meter.admit(close.subarray(4), NONE);
  expect(meter.hasClosed).toBe(true);
  expect(meter.admit(frameOf(OPCODE.text, 'x'), { ...NONE, messages: 0 })).toBe(true);
  expect(meter.hasClosed).toBe(true);
});

test('the next window begins from nothing', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const meter = createFrameMeter();
  const limits = { ...NONE, frames: 1 };
  expect(meter.admit(frameOf(OPCODE.ping), limits)).toBe(true);
  expect(meter.admit(frameOf(OPCODE.ping), limits)).toBe(false);
  vi.advanceTimersByTime(10_001);
  expect(meter.admit(frameOf(OPCODE.ping), limits)).toBe(true);
});

function longFrame(length: number): Buffer {
  const head = Buffer.alloc(14);
  head[0] = 0x81;
  head[1] = 0x80 | 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, Buffer.alloc(length, 'x')]);
}
