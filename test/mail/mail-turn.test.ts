import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DRAIN_MS, MAIL_TURN_MS } from '../../src/limits.ts';
import { sendInTurn } from '../../src/mail/mail-turn.ts';
import type { SendOptions, SendOutcome } from '../../src/mail/mailing.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const SENT: SendOutcome = { kind: 'sent' };
const MAIL = { to: 'you@turn.test' } as never;

test('an answer that comes in time is the turn, however long the server took to take the mail', async () => {
  const { turn, options, answer, kept } = begin(async ({ kind }) => kind);
  await vi.advanceTimersByTimeAsync(10 * MAIL_TURN_MS);
  options().onHandedOver?.();
  await vi.advanceTimersByTimeAsync(MAIL_TURN_MS - 1);
  answer.resolve(SENT);
  expect(await turn).toBe('sent');
  expect([kept.length, vi.getTimerCount()]).toEqual([0, 0]);
});

test('an answer that comes late is settled beside what follows, and the turn is over before', async () => {
  const settle = vi.fn(async (_: SendOutcome) => 'settled');
  const { turn, options, answer, kept } = begin(settle);
  options().onHandedOver?.();
  await vi.advanceTimersByTimeAsync(MAIL_TURN_MS);
  expect(await turn).toBeUndefined();
  expect(settle).not.toHaveBeenCalled();
  answer.resolve(SENT);
  await Promise.all(kept);
  expect(settle).toHaveBeenCalledExactlyOnceWith(SENT);
});

test('what fails in the turn fails it; what fails later is told, and never thrown', async () => {
  const fault = new Error('the database is away');
  const soon = begin(() => Promise.reject(fault));
  soon.answer.resolve(SENT);
  await expect(soon.turn).rejects.toBe(fault);

  const late = begin(() => Promise.reject(fault));
  late.options().onHandedOver?.();
  await vi.advanceTimersByTimeAsync(MAIL_TURN_MS);
  await late.turn;
  late.answer.resolve(SENT);
  await Promise.all(late.kept);
  expect(late.onFault).toHaveBeenCalledExactlyOnceWith(fault);
});

test('from a stop on the answer is waited for only as long as a process may drain', async () => {
  const { options, stop } = begin(async ({ kind }) => kind);
  expect(options().withdraw?.aborted).toBe(false);
  stop.abort();
  expect([options().withdraw?.aborted, options().giveUp?.aborted]).toEqual([true, false]);
  await vi.advanceTimersByTimeAsync(DRAIN_MS);
  expect(options().giveUp?.aborted).toBe(true);
});

function begin<T>(settle: (outcome: SendOutcome) => Promise<T>) {
  const answer = Promise.withResolvers<SendOutcome>();
  const send = vi.fn((_: unknown, _options: SendOptions = {}) => answer.promise);
  const stop = new AbortController();
  const kept: Promise<void>[] = [];
  const onFault = vi.fn();
  const turn = sendInTurn(MAIL, {
    ...{ mail: { send }, signal: stop.signal, settle, onFault },
    keep: (work) => void kept.push(work),
  });
  return { turn, answer, stop, kept, onFault, options: () => send.mock.calls[0]?.[1] as SendOptions };
}
