/**
 * What it is: work that somebody waits for no longer than a given time.
 * What fails without it: a Redis or a customer's server that hangs holds whoever asked. With a bare timer beside the work,
 *   it is our own pause that counts against the other side: after the event loop was held for longer than the time, timers
 *   run before sockets are read, so the answer that has long been here counts as missing.
 * How it works: the first of work and timer wins, and what has arrived is read once more before the timer does.
 * What it costs: a timer. The work itself goes on; whoever can stop it must do so.
 * Its bound: `ms`. Its proof: test/within.test.ts.
 */

/** Undefined when it takes longer than `ms` milliseconds. A failure that comes in time is thrown, a later one is not. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => setImmediate(resolve, undefined), ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
