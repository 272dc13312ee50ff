import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { parseMetrics, processMetrics } from '../../../bench/watch/process-metrics.ts';
import { createMetrics } from '../../../src/process/metrics.ts';
import { holdTheLoop } from '../../hold-the-loop.ts';

test('reads the delay and the waiting callers from what a real process says', async () => {
  const metrics = createMetrics('api');
  metrics.gauge('pool_primary_waiting', 'waiting', () => 3);
  metrics.gauge('pool_replica_waiting', 'waiting', () => 2);
  metrics.gauge('pool_replica_used', 'used', () => 40);
  await new Promise((resolve) => setTimeout(resolve, 50));
  holdTheLoop(350);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const read = parseMetrics(await metrics.text());
  expect(read.poolWaiting).toBe(5);
  expect(read.eventLoopDelayP99Ms).toBeGreaterThan(200);
});

test('a process that is not there says nothing, and that is no error', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  expect(await processMetrics(`http://127.0.0.1:${port}`)).toBeUndefined();
});
