import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SERVING_PROCESSES } from '../../src/processes.ts';
import { start as startApi } from '../../workers/api.ts';
import { start as startChat } from '../../workers/chat.ts';
import { start as startMailer } from '../../workers/mailer.ts';
import { createTestDatabase, type TestDatabase, until } from '../database.ts';
import { emptyRedis, startWorker, type TestWorker, testEnvironment } from '../worker.ts';

const HAS_PROMTOOL = spawnSync('promtool', ['--version']).status === 0;
if (!HAS_PROMTOOL) process.stderr.write('Skipped: promtool check metrics (apt-get install prometheus).\n');

let on: TestDatabase;
const workers: TestWorker[] = [];
const texts = new Map<string, string>();
beforeAll(async () => {
  on = await createTestDatabase();
  await emptyRedis();
  const environment = await testEnvironment(on);
  for (const [name, start] of [
    ['api', startApi],
    ['chat', startChat],
    ['mailer', startMailer],
  ] as const)
    workers.push(await startWorker(name, start, environment));
  for (const { process } of workers) process.metrics.report();
  // Loops look at servers first.
  await until('every metric has a value', async () => {
    for (const { process } of workers) texts.set(process.name, await process.metrics.text());
    return missing().length === 0;
  }).catch(() => undefined);
});
afterAll(async () => {
  for (const worker of workers.reverse()) await worker.stop();
  await on.close();
});

/** Where it is not known everywhere: no certificate without https, no quota on a laptop. */
const NOT_EVERYWHERE = [
  ...['tardigrade_certificate_seconds_left', 'tardigrade_redis_max_bytes'],
  ...['tardigrade_cpu_periods_total', 'tardigrade_cpu_periods_throttled_total'],
];

/** By name, those that are exposed. */
function exposed(text: string): Set<string> {
  return new Set([...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name = '']) => name));
}

function namesIn(text: string): Set<string> {
  return new Set(text.match(/\b(?:tardigrade|process|nodejs)_\w+/g) ?? []);
}

/** Named by a rule, and exposed by no process, or without a value. */
function missing(): string[] {
  const all = [...texts.values()].join('\n');
  const expressions = globSync('deploy/prometheus/rules/*.yml').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^ +expr: (.*)$/gm)].map(([, expression = '']) => expression),
  );
  expect(expressions.length).toBeGreaterThan(20);
  return [...namesIn(expressions.join('\n'))].filter(
    (name) => !exposed(all).has(name) || !(new RegExp(`^${name}\\{`, 'm').test(all) || NOT_EVERYWHERE.includes(name)),
  );
}

test('every metric that an alert names is exposed by some process, with a value', () => {
  expect(missing()).toEqual([]);
});

test.each(['tardigrade', ...SERVING_PROCESSES.map((name) => `tardigrade-${name}`)])(
  'every metric on the dashboard %s is exposed by the processes that it is about',
  (uid) => {
    const { panels } = JSON.parse(readFileSync(`deploy/grafana/${uid}.json`, 'utf8')) as {
      panels: { targets?: { expr: string }[] }[];
    };
    const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(expressions.length).toBeGreaterThan(5);
    const own = texts.get(uid.replace('tardigrade-', '')) ?? [...texts.values()].join('\n');
    expect([...namesIn(expressions.join('\n'))].filter((name) => !exposed(own).has(name))).toEqual([]);
  },
);

test.runIf(HAS_PROMTOOL).each(['api', 'chat', 'mailer'])(
  'promtool finds nothing wrong with the metrics of %s',
  (name) => {
    const { status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], {
      input: texts.get(name) ?? '',
      encoding: 'utf8',
    });
    expect(`${stdout}${stderr}`).toBe('');
    expect(status).toBe(0);
  },
);
