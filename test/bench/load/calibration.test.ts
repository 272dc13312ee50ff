import { expect, test } from 'vitest';
import { inconclusiveReasons, startNullServer } from '../../../bench/load/calibration.ts';
import { createMeter } from '../../../bench/load/meter.ts';
import { startLoad } from '../../../bench/load/start-load.ts';
import { GET_ITEM, planFor } from './loopback-server.ts';

const figures = { ...createMeter({ seconds: 1, warmUpSeconds: 0 }).figures(), offeredPerSecond: 1_000 };
const good = { ...figures, generatorElu: 0.3, lateStartP99Ms: 2 };
const calibration = { nullServerPerSecond: 3_000, elu: 0.5 };

test('a generator with time to spare proves something', () => {
  expect(inconclusiveReasons(good, calibration)).toEqual([]);
});

test('a busy generator, late starts and too low a calibration each make a run inconclusive, in words', () => {
  expect(inconclusiveReasons({ ...good, generatorElu: 0.71 }, calibration)).toEqual([
    'the generator was busy 71 % of the time, more than 70 %',
  ]);
  expect(inconclusiveReasons({ ...good, lateStartP99Ms: 5.2 }, calibration)[0]).toContain(
    '5.2 ms late; 5 ms are allowed',
  );
  expect(inconclusiveReasons(good, { ...calibration, nullServerPerSecond: 2_999 })[0]).toContain(
    'less than 3 times the 1000',
  );
});

test('the null server answers what the generator checks', async () => {
  const nullServer = await startNullServer();
  const request = { ...GET_ITEM, check: { name: 'page', args: { limit: 50 } } } as const;
  const { latency, wrong, failed } = await startLoad(planFor(nullServer.url, { requests: [request] })).figures;
  nullServer.stop();
  expect({ count: latency.count, wrong, failed }).toEqual({ count: 200, wrong: 0, failed: 0 });
});
