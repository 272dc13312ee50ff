import { expect, test } from 'vitest';
import { createSemaphore } from '../../src/flow/semaphore.ts';
import { RETRY_AFTER_SECONDS } from '../../src/limits.ts';

test('a limited number run, a limited number wait, and the next one is refused before its work begins', async () => {
  const semaphore = createSemaphore('sign-ins', { atOnce: 2, waiting: 3 });
  const gate = Promise.withResolvers<void>();
  let begun = 0;
  const work = () => {
    begun++;
    return gate.promise;
  };

  // All in one turn of the event loop, as requests of one packet are.
  const accepted = Array.from({ length: 5 }, () => semaphore.run(work));
  const refused = semaphore.run(work);

  await expect(refused).rejects.toMatchObject({
    code: 'overloaded',
    message: expect.stringContaining('sign-ins'),
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
  expect({ begun, active: semaphore.active, waiting: semaphore.waiting }).toEqual({ begun: 2, active: 2, waiting: 3 });

  gate.resolve();
  await Promise.all(accepted);
  expect({ begun, active: semaphore.active, waiting: semaphore.waiting }).toEqual({ begun: 5, active: 0, waiting: 0 });
});

test('waiting work starts in the order in which it came', async () => {
  const semaphore = createSemaphore('exports', { atOnce: 1, waiting: 10 });
  const served: number[] = [];
  await Promise.all([0, 1, 2, 3, 4].map((place) => semaphore.run(async () => void served.push(place))));
  expect(served).toEqual([0, 1, 2, 3, 4]);
});

test('work that fails frees its place, and only its own caller gets the error', async () => {
  const semaphore = createSemaphore('uploads', { atOnce: 1, waiting: 1 });
  const failing = semaphore.run(() => Promise.reject(new Error('broken file')));
  const next = semaphore.run(async () => 'done');
  await expect(failing).rejects.toThrow('broken file');
  expect(await next).toBe('done');
  expect(semaphore.active).toBe(0);
});

test('without room to wait, work beyond the limit is refused at once', async () => {
  const semaphore = createSemaphore('exports', { atOnce: 1, waiting: 0 });
  const gate = Promise.withResolvers<void>();
  const running = semaphore.run(() => gate.promise);
  await expect(semaphore.run(async () => 'second')).rejects.toMatchObject({ code: 'overloaded' });
  gate.resolve();
  await running;
  expect(await semaphore.run(async () => 'third')).toBe('third');
});
