import { afterEach, expect, test } from 'vitest';
import { runOpenLoop } from '../../../bench/load/open-loop.ts';
import { startLoad } from '../../../bench/load/start-load.ts';
import { workload } from '../made-up-module.ts';
import { answerJson, GET_ITEM, listen, planFor } from './loopback-server.ts';

let server: Awaited<ReturnType<typeof listen>> | undefined;
afterEach(() => server?.close());

const ignore = () => undefined;

test('a stall is charged to everybody whom it kept waiting', async () => {
  const FREEZE_MS = 500;
  let held: (() => void)[] | undefined;
  let asked = 0;
  server = await listen((_request, response) => {
    const answer = () => answerJson(response, { id: 1 });
    if (++asked === 100) {
      held = [];
      setTimeout(() => {
        for (const late of held ?? []) late();
        held = undefined;
      }, FREEZE_MS);
    }
    if (held === undefined) answer();
    else held.push(answer);
  });
  const figures = await startLoad(planFor(server.url, { phases: [{ seconds: 2, perSecond: 200 }] })).figures;

  // 100 of 400 requests were due while nothing was answered. A closed loop of one client would have met it once.
  expect(figures.latency.count).toBe(400);
  expect(figures.latency.p90Ms).toBeGreaterThanOrEqual(FREEZE_MS / 2);
  expect(figures.latency.p99Ms).toBeGreaterThanOrEqual(FREEZE_MS * 0.9);
});

test('as many requests are sent as the phases ask for, whatever they last', async () => {
  server = await listen((_request, response) => answerJson(response, { id: 1 }));
  const phases = [
    { seconds: 0.5, perSecond: 100 },
    { seconds: 1, from: 100, perSecond: 300 },
    { seconds: 0.5, perSecond: 60 },
  ];
  const figures = await runOpenLoop(planFor(server.url, { phases }), workload, ignore);
  expect(figures.latency.count).toBe(50 + 200 + 30);
  expect(figures.statuses).toEqual({ 200: 280 });
  expect(figures.perSecond.reduce((sum, count) => sum + count)).toBe(280);
  expect(figures.offeredPerSecond).toBeCloseTo(140, 0);
  expect(figures.byRoute['GET /item']?.count).toBe(280);
});

test('wrong answers are counted separately, with samples, and are no throughput', async () => {
  let asked = 0;
  server = await listen((_request, response) => answerJson(response, { id: ++asked % 4 === 0 ? 2 : 1 }));
  const request = { ...GET_ITEM, check: { name: 'object', args: { id: 1 } } } as const;
  const figures = await runOpenLoop(planFor(server.url, { requests: [request] }), workload, ignore);
  expect(figures.wrong).toBe(50);
  expect(figures.wrongSamples[0]).toBe('GET /item: id 2 where 1 was asked for');
  expect(figures.perSecond.reduce((sum, count) => sum + count)).toBe(150);
});

test('a refusal is failed but not wrong, and does not flatter the latency', async () => {
  let asked = 0;
  server = await listen((_request, response) => answerJson(response, {}, ++asked % 2 === 0 ? 503 : 200));
  const figures = await runOpenLoop(planFor(server.url, {}), workload, ignore);
  expect(figures).toMatchObject({ failed: 100, wrong: 0, statuses: { 200: 100, 503: 100 } });
  expect(figures.refusals.count).toBe(100);
  expect(figures.latency.count).toBe(100);
});

test('another status than expected is a wrong answer', async () => {
  server = await listen((_request, response) => answerJson(response, { code: 'forbidden' }, 403));
  const figures = await runOpenLoop(planFor(server.url, {}), workload, ignore);
  expect(figures.wrong).toBe(200);
  expect(figures.wrongSamples).toHaveLength(10);
  expect(figures.wrongSamples[0]).toContain('status 403, expected 200');
});

test('past the cap, requests are dropped and counted; those that nobody answers time out', async () => {
  server = await listen(ignore);
  const figures = await runOpenLoop(
    planFor(server.url, { inFlightMax: 20, connections: 5, requestMs: 5_000 }),
    workload,
    ignore,
  );
  expect(figures.dropped).toBe(180);
  expect(figures.statuses).toEqual({ 'error:TIMEOUT': 20 });
  expect(figures).toMatchObject({ failed: 20, inFlightMax: 20, achievedPerSecond: 0 });
  expect(figures.latency.p50Ms).toBeGreaterThanOrEqual(4_990);
});

test('a server that is not there is a failure of every request, by its code', async () => {
  server = await listen(ignore);
  await server.close();
  const figures = await runOpenLoop(planFor(server.url, {}), workload, ignore);
  expect(figures.statuses).toEqual({ 'error:ECONNREFUSED': 200 });
  server = undefined;
});

test('requests due during the warm-up are sent but not counted', async () => {
  let asked = 0;
  server = await listen((_request, response) => {
    asked++;
    answerJson(response, {});
  });
  const figures = await runOpenLoop(planFor(server.url, { warmUpSeconds: 0.5 }), workload, ignore);
  expect(asked).toBe(200);
  expect(figures.latency.count).toBe(100);
  expect(figures.offeredPerSecond).toBeCloseTo(200, 0);
});

test('phases are told when they begin, and those of one name have their latency together', async () => {
  let asked = 0;
  server = await listen((_request, response) => {
    const isSlow = ++asked > 20 && asked <= 40;
    setTimeout(() => answerJson(response, { id: 1 }), isSlow ? 100 : 0);
  });
  const quiet = { name: 'quiet', seconds: 0.2, perSecond: 100 };
  const phases = [quiet, { name: 'slow', seconds: 0.2, perSecond: 100 }, quiet, { seconds: 0.1, perSecond: 100 }];
  const begun: number[] = [];
  const plan = planFor(server.url, { phases });
  const figures = await runOpenLoop(plan, workload, ignore, undefined, (nth) => void begun.push(nth));
  expect(begun).toEqual([0, 1, 2, 3]);
  expect(figures.latency.count).toBe(70);
  // One that is due as a phase begins may count for the one before it.
  expect(Math.abs((figures.byPhase?.['quiet']?.count ?? 0) - 40)).toBeLessThanOrEqual(1);
  expect(Math.abs((figures.byPhase?.['slow']?.count ?? 0) - 20)).toBeLessThanOrEqual(1);
  expect(figures.byPhase?.['slow']?.p50Ms).toBeGreaterThanOrEqual(95);
  expect(figures.byPhase?.['quiet']?.p50Ms).toBeLessThan(figures.byPhase?.['slow']?.p50Ms as number);
});

test('a plan with an unknown step is refused with the list of steps', async () => {
  const plan = { ...planFor('http://127.0.0.1:1', {}), requests: undefined, mix: { 'GET /nothing': 1 } };
  const account = { token: 't', orgId: 1, email: 'a@b.test', role: 'owner' } as const;
  await expect(startLoad({ ...plan, accounts: [account] }).figures).rejects.toThrow(/no step called GET \/nothing/);
});
