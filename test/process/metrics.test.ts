import fs from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createMetrics } from '../../src/process/metrics.ts';
import { until } from '../database.ts';

test('a gauge is declared once and read at the moment of the report, in it and in the Prometheus text', async () => {
  const metrics = createMetrics('api');
  let waiting = 3;
  metrics.gauge('pool_primary_waiting', 'Callers waiting', () => waiting);
  expect(metrics.report().gauges).toEqual({ pool_primary_waiting: 3 });
  waiting = 5;
  expect(metrics.report().gauges).toEqual({ pool_primary_waiting: 5 });
  expect(await metrics.text()).toMatch(/^tardigrade_pool_primary_waiting\{process="api"\} 5$/m);
});

test('a counter counts up under the name that Prometheus expects', async () => {
  const metrics = createMetrics('mailer');
  metrics.counter('mails_sent', 'Mails handed over').inc(2);
  expect(await metrics.text()).toMatch(/^tardigrade_mails_sent_total\{process="mailer"\} 2$/m);
});

test('two processes in one test, or two runs in one process, do not share their numbers', async () => {
  const [one, other] = [createMetrics('api'), createMetrics('chat')];
  one.counter('opened', 'Opened').inc();
  other.counter('opened', 'Opened');
  expect(await other.text()).toMatch(/^tardigrade_opened_total\{process="chat"\} 0$/m);
});

test('a report names the process, its start and its memory', () => {
  const report = createMetrics('api').report();
  expect(report).toMatchObject({ name: 'api', pid: process.pid });
  expect(Date.parse(report.startedAt)).toBeLessThanOrEqual(Date.parse(report.reportedAt));
  const { rssBytes, heapUsedBytes, heapLimitBytes, limitBytes } = report.memory;
  expect(heapUsedBytes).toBeLessThan(heapLimitBytes);
  expect(heapUsedBytes).toBeLessThan(rssBytes);
  expect(limitBytes).toBeGreaterThan(0);
});

test('a blocked event loop shows in the next report and not in the one after it', async () => {
  const metrics = createMetrics('api');
  metrics.report();
  const begun = performance.now();
  await ticks(); // the first tick after a report only starts the clock
  block(200);
  await ticks();
  const { eventLoopDelayMs, cpuShare } = metrics.report();
  expect(eventLoopDelayMs.max).toBeGreaterThan(100);
  expect(cpuShare).toBeGreaterThan((0.9 * 200) / (performance.now() - begun));
  await until('a calm report', async () => {
    await ticks();
    return metrics.report().eventLoopDelayMs.max < 100;
  });
});

test('a delay is kept for the alerts while the next reports are calm', async () => {
  const metrics = createMetrics('api');
  metrics.report();
  await ticks();
  block(300);
  await ticks();
  metrics.report();
  await until('a calm report', async () => {
    await ticks();
    return metrics.report().eventLoopDelayMs.max < 100;
  });
  expect(metrics.report().own['event_loop_delay_seconds']).toBeGreaterThan(0.1);
});

test('what is not known now has no sample, and none that looks like a zero', async () => {
  const metrics = createMetrics('mailer');
  let age: number | undefined = 7;
  metrics.measure('backup_age_seconds', 'Age', () => age);
  metrics.total('deadlocks', 'Deadlocks', () => age);
  expect(await metrics.text()).toMatch(/^tardigrade_backup_age_seconds\{process="mailer"\} 7$/m);
  expect(await metrics.text()).toMatch(/^tardigrade_deadlocks_total\{process="mailer"\} 7$/m);
  age = undefined;
  expect(await metrics.text()).not.toMatch(/^tardigrade_(?:backup_age_seconds|deadlocks_total)\{/m);
  expect(metrics.report().own).not.toHaveProperty('backup_age_seconds');
  age = 9;
  expect(await metrics.text()).toMatch(/^tardigrade_deadlocks_total\{process="mailer"\} 9$/m);
});

test('the growth of a counter is reported: from zero for our own, from the first look for those of others', async () => {
  const metrics = createMetrics('mailer');
  const sent = metrics.counter('sent', 'Sent');
  let deadlocks = 100;
  metrics.total('deadlocks', 'Deadlocks', () => deadlocks);
  sent.inc(3);
  metrics.report(); // looks, and the next one tells
  await until('the look is over', () => metrics.report().recent['sent'] === 3);
  deadlocks = 104;
  await until('the growth shows', () => metrics.report().recent['deadlocks'] === 4);
  deadlocks = 1; // the server has begun anew
  await until('a reset is not growth', () => (metrics.report().recent['deadlocks'] ?? 0) === 0);
});

/** Long enough for the histogram to have sampled the loop. */
async function ticks(): Promise<void> {
  for (let tick = 0; tick < 5; tick++) await new Promise((resolve) => setTimeout(resolve, 15));
}

/** Of processor time, so that a busy machine does not make it less. */
function block(ms: number): void {
  const before = process.cpuUsage();
  for (let spent = 0; spent < ms; ) {
    const { user, system } = process.cpuUsage(before);
    spent = (user + system) / 1_000;
  }
}

test('nothing that is open is listed for the Prometheus text: with thousands of sockets that stalls the event loop', async () => {
  const internals = process as unknown as Record<'_getActiveHandles' | '_getActiveRequests', () => unknown[]>;
  const lists = [
    vi.spyOn(fs, 'readdirSync'),
    vi.spyOn(process, 'getActiveResourcesInfo'),
    vi.spyOn(internals, '_getActiveHandles'),
    vi.spyOn(internals, '_getActiveRequests'),
  ];
  onTestFinished(() => void vi.restoreAllMocks());
  const text = await createMetrics('chat').text();
  expect(text).toContain('process_resident_memory_bytes');
  expect(text).toContain('nodejs_eventloop_lag_max_seconds');
  for (const list of lists) expect(list).not.toHaveBeenCalled();
});

test('what is no longer used is let go: nothing that observes the process holds on to it', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const used = createUsed();
  await new Promise(setImmediate);
  collectGarbage();
  expect(used.deref()).toBeUndefined();
});

/** In a function of its own, or its variables would be held as long as the test runs. */
function createUsed(): WeakRef<object> {
  const used = { rows: 7 };
  createMetrics('api').gauge('rows', 'Rows', () => used.rows);
  return new WeakRef(used);
}
