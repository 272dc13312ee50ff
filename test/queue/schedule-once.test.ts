import { expect, test, vi } from 'vitest';
import { followingSlot, launchDue } from '../../src/queue/schedule-once.ts';

const SLOT = '2027-01-01T10:00:00.000Z';
const hourAfter = (after: Date) => {
  const next = new Date(after);
  next.setUTCHours(after.getUTCHours() + 1, 0, 0, 0);
  return next.toISOString();
};

test('a clock that is behind does not find the slot again that was just launched', () => {
  const behind = Date.parse('2027-01-01T09:59:50.000Z');
  expect(hourAfter(new Date(behind))).toBe(SLOT);
  expect(followingSlot(SLOT, hourAfter, behind)).toBe('2027-01-01T11:00:00.000Z');
});

test('slots that were missed are not made up for', () => {
  expect(followingSlot(SLOT, hourAfter, Date.parse('2027-01-03T12:30:00.000Z'))).toBe('2027-01-03T13:00:00.000Z');
});

test('it launches until nothing is due, one per transaction, and says how many', async () => {
  const transact = vi.fn(async (_scope: unknown, work: (transaction: never) => Promise<unknown>) => work({} as never));
  let due = 3;
  const launched = await launchDue({ transact } as never, new AbortController().signal, async () => due-- > 0);
  expect(launched).toBe(3);
  expect(transact).toHaveBeenCalledTimes(4);
});

test('a stop ends it after the launch that is under way', async () => {
  const stop = new AbortController();
  const transact = async (_scope: unknown, work: (transaction: never) => Promise<unknown>) => work({} as never);
  const launched = await launchDue({ transact } as never, stop.signal, async () => {
    stop.abort();
    return true;
  });
  expect(launched).toBe(1);
});
