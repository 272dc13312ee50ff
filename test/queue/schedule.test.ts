import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { type Loop, startLoops } from '../../src/queue/schedule.ts';
import { until } from '../database.ts';

const start = (run: Loop['run'], everyMs = 1) =>
  startLoops([{ name: 'test', everyMs, run }], createLog('test', 'silent'));

test('a second run never starts while one takes longer than the interval', async () => {
  let runs = 0;
  let atOnce = 0;
  let mostAtOnce = 0;
  const loops = start(async () => {
    runs++;
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    await sleep(10);
    atOnce--;
  });
  await until('five runs', () => runs >= 5);
  await loops.close();
  expect(mostAtOnce).toBe(1);
});

test('a run that fails is followed by the next one', async () => {
  let runs = 0;
  const loops = start(async () => {
    runs++;
    throw new Error('on purpose');
  });
  await until('it went on', () => runs >= 3);
  await loops.close();
});

test('a loop that fails does not stop the others', async () => {
  let runs = 0;
  const loops = startLoops(
    [
      { name: 'bad', everyMs: 1, run: () => Promise.reject(new Error('on purpose')) },
      { name: 'good', everyMs: 1, run: async () => void runs++ },
    ],
    createLog('test', 'silent'),
  );
  await until('the good one goes on', () => runs >= 3);
  await loops.close();
});

test('close aborts the current run, waits for it and starts no other', async () => {
  let runs = 0;
  let ended = 0;
  const loops = start(async (signal) => {
    runs++;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    await sleep(10);
    ended++;
  });
  await until('it runs', () => runs === 1);
  await loops.close();
  expect({ runs, ended }).toEqual({ runs: 1, ended: 1 });
});

test('close does not wait for the pause between two runs', async () => {
  let runs = 0;
  const loops = start(async () => void runs++, 60_000);
  await until('it ran', () => runs === 1);
  await loops.close(); // the test's own deadline is shorter than the pause
  expect(runs).toBe(1);
});
