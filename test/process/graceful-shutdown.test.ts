import { afterEach, expect, test, vi } from 'vitest';
import { createShutdown, type Shutdown } from '../../src/process/graceful-shutdown.ts';
import { createQuietLog } from './quiet-log.ts';

afterEach(() => void vi.useRealTimers());

test('resources are closed one by one in reverse order', async () => {
  const shutdown = createShutdown(createQuietLog().log);
  const events: string[] = [];
  for (const what of ['database', 'redis', 'http']) {
    shutdown.onStop(what, async () => {
      events.push(`${what} closes`);
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`${what} closed`);
    });
  }
  expect(await shutdown.stop('SIGTERM')).toBe(true);
  expect(events).toEqual([
    'http closes',
    'http closed',
    'redis closes',
    'redis closed',
    'database closes',
    'database closed',
  ]);
});

test('a closer that hangs is logged by name and skipped, and the others still run', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const { log, error } = createQuietLog();
  const shutdown = createShutdown(log, 50);
  const closed: string[] = [];
  shutdown.onStop('database', () => closed.push('database'));
  shutdown.onStop('queue', () => new Promise(() => undefined));
  shutdown.onStop('http', () => closed.push('http'));

  expect(await stopWithin(shutdown, 50)).toBe(false);
  expect(closed).toEqual(['http', 'database']);
  expect(error).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ what: 'queue' }), 'did not close in time');
});

test('the deadline is for all closers together, not for each', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const shutdown = createShutdown(createQuietLog().log, 100);
  for (let part = 0; part < 20; part++) shutdown.onStop(`part ${part}`, () => new Promise(() => undefined));
  expect(await stopWithin(shutdown, 150)).toBe(false);
});

test.each([
  [
    'throws',
    () => {
      throw new Error('already closed');
    },
  ],
  ['rejects', () => Promise.reject(new Error('already closed'))],
])('a closer that %s is named and does not keep the others from closing', async (_, close) => {
  const { log, error } = createQuietLog();
  const shutdown = createShutdown(log);
  let closed = false;
  shutdown.onStop('database', () => {
    closed = true;
  });
  shutdown.onStop('redis', close);
  expect(await shutdown.stop('SIGTERM')).toBe(false);
  expect(closed).toBe(true);
  expect(error).toHaveBeenCalledExactlyOnceWith(
    { what: 'redis', err: expect.objectContaining({ message: 'already closed' }) },
    'did not close',
  );
});

test('a second signal gets the promise of the first stop', async () => {
  const shutdown = createShutdown(createQuietLog().log);
  let closed = 0;
  shutdown.onStop('database', () => closed++);
  const first = shutdown.stop('SIGTERM');
  expect(shutdown.stop('SIGINT')).toBe(first);
  await first;
  expect(shutdown.stop('SIGINT')).toBe(first);
  expect(closed).toBe(1);
});

test('the stop signal is aborted before the first resource closes', async () => {
  const shutdown = createShutdown(createQuietLog().log);
  let toldFirst: boolean | undefined;
  shutdown.onStop('loops', () => {
    toldFirst = shutdown.stopping.aborted;
  });
  expect(shutdown.stopping.aborted).toBe(false);
  await shutdown.stop('SIGTERM');
  expect(toldFirst).toBe(true);
});

test('a resource that is opened while the stop runs is closed too', async () => {
  const shutdown = createShutdown(createQuietLog().log);
  let closed = false;
  shutdown.onStop('database', async () => {
    shutdown.onStop('late', () => {
      closed = true;
    });
  });
  await shutdown.stop('SIGTERM');
  expect(closed).toBe(true);
});

/** What the stop resolves to, if it does by then; the clock is the test's. */
async function stopWithin(shutdown: Shutdown, ms: number): Promise<boolean | 'not yet'> {
  let stopped: boolean | 'not yet' = 'not yet';
  void shutdown.stop('SIGTERM').then((whole) => {
    stopped = whole;
  });
  await vi.advanceTimersByTimeAsync(ms);
  return stopped;
}
