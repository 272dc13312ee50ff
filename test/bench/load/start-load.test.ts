import { execFileSync } from 'node:child_process';
import { constants, getPriority } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import { mayGoFirst } from '../../../bench/load/scheduling.ts';
import { READY, startLoad } from '../../../bench/load/start-load.ts';
import { ATTACK, type AttackFigures, type AttackPlan } from '../../../bench/platform/attack-plan.ts';
import { until } from '../../database.ts';
import { answerJson, GET_ITEM, listen, planFor } from './loopback-server.ts';

let server: Awaited<ReturnType<typeof listen>> | undefined;
afterEach(() => server?.close());

test('a load that begins later has its process at once, and asks nothing until then', async () => {
  const asked: (string | undefined)[] = [];
  server = await listen((request, response) => {
    asked.push(request.url);
    answerJson(response, { id: 1 });
  });
  const plan = planFor(server.url, { phases: [{ seconds: 0.2, perSecond: 100 }] });
  let begin = () => {};
  const begins = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const later = startLoad(plan, undefined, { begins });
  await later.event(READY);
  // A whole load of another process fits in between.
  await startLoad({ ...plan, requests: [{ ...GET_ITEM, path: '/sooner' }] }).figures;
  expect(new Set(asked)).toEqual(new Set(['/sooner']));
  begin();
  expect((await later.figures).latency.count).toBe(20);
});

test('a load that is stopped before it begins says so at once', async () => {
  server = await listen((_request, response) => answerJson(response, { id: 1 }));
  const load = startLoad(planFor(server.url, {}), undefined, { begins: new Promise(() => undefined) });
  await load.event(READY);
  load.stop();
  expect((await load.figures).latency.count).toBe(0);
});

test('a load whose beginning fails is ended', async () => {
  server = await listen((_request, response) => answerJson(response, { id: 1 }));
  const begins = Promise.reject(new Error('the other one failed'));
  await expect(startLoad(planFor(server.url, {}), undefined, { begins }).figures).rejects.toThrow(
    'the other one failed',
  );
});

test.runIf(mayGoFirst())('whoever measures goes before the product, and whoever attacks behind it', async () => {
  server = await listen((_request, response) => answerJson(response, { id: 1 }));
  const policyOf = (pid: number) => execFileSync('chrt', ['--pid', String(pid)], { encoding: 'utf8' });
  const measuring = startLoad(planFor(server.url, { phases: [{ seconds: 30, perSecond: 1 }] }));
  await measuring.event('phase 0');
  expect(policyOf(measuring.pid)).toContain('SCHED_RR');
  measuring.stop();
  await measuring.figures;

  const plan: AttackPlan = {
    kind: ATTACK,
    url: server.url,
    attack: 'dribbled headers',
    accounts: [],
    exports: [],
    seed: 1,
    seconds: 30,
  };
  const attacking = startLoad<AttackFigures>(plan, undefined, { ownSession: true });
  await until('it gives way', () => getPriority(attacking.pid) === constants.priority.PRIORITY_LOW);
  expect(policyOf(attacking.pid)).toContain('SCHED_OTHER');
  attacking.stop();
  await attacking.figures;
});
