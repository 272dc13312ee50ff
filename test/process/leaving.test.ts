import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WORKER_STOP_MS } from '../../scripts/embedded/limits.ts';
import { DRAIN_MS, LAME_DUCK_MS_DEFAULT, LAME_DUCK_MS_MAX, STOP_MS } from '../../src/limits.ts';
import { createTestDatabase, type TestDatabase, until } from '../database.ts';
import { emptyRedis, testEnvironment } from '../worker.ts';
import { LAUNCH, launch, ready, WITH_PROCESS_MS } from './launched.ts';

const ROOT = join(import.meta.dirname, '..', '..');

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ replica: false });
  await emptyRedis();
});
afterAll(() => database.close());

describe.each([
  ['api', 'API_PORT'],
  ['chat', 'CHAT_PORT'],
  ['mailer', 'MAILER_PORT'],
] as const)('%s, told to stop', (name, variable) => {
  test('says so on /readyz while it serves on, and tells every client to close, until a second signal ends the wait', {
    timeout: WITH_PROCESS_MS,
  }, async () => {
    const { url, child, ended, output } = await running(name, variable, LAME_DUCK_MS_MAX);
    expect((await fetch(`${url}/livez`)).headers.get('connection')).toBe('keep-alive');
    const from = performance.now();
    child.kill('SIGTERM');
    await until('it says that it stops', async () => (await fetch(`${url}/readyz`)).status === 503);
    const answer = await fetch(`${url}/readyz`);
    expect(await answer.json()).toEqual({ ready: false, checks: { process: 'stopping' } });
    expect(answer.headers.get('connection')).toBe('close');

    for (let served = 0; served < 10; served++) {
      const one = await fetch(`${url}/livez`);
      expect([one.status, one.headers.get('connection')]).toEqual([200, 'close']);
    }
    child.kill('SIGTERM');
    expect(await ended, output()).toMatchObject({ code: 0, signal: null });
    expect(performance.now() - from).toBeLessThan(LAME_DUCK_MS_MAX);
  });
});

test('eight clients that never rest lose no request, and a browser that only opened a connection is not waited for', async () => {
  const { url, child, ended } = await running('api', 'API_PORT', LAME_DUCK_MS_DEFAULT);
  const { hostname, port } = new URL(url);
  const unused = connect(Number(port), hostname);
  unused.on('error', () => undefined);
  const seen = { answered: 0, toldToClose: 0, refused: 0, broken: 0 };
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  let isDone = false;
  const ask = () =>
    new Promise<void>((resolve) => {
      const request = get(`${url}/api/v1/me`, { agent }, (response) => {
        if (response.headers.connection === 'close') seen.toldToClose++;
        response.resume();
        response.once('end', () => resolve(void seen.answered++));
        response.once('error', () => resolve(void seen.broken++));
      });
      request.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNREFUSED') isDone = true;
        seen[error.code === 'ECONNREFUSED' ? 'refused' : 'broken']++;
        resolve();
      });
    });
  const workers = Array.from({ length: 8 }, async () => {
    while (!isDone) await ask();
  });
  await until('they are served', () => seen.answered > 100);
  const from = performance.now();
  child.kill('SIGTERM');
  await Promise.all([...workers, ended]);
  expect(performance.now() - from).toBeGreaterThan(LAME_DUCK_MS_DEFAULT - 50);
  expect(performance.now() - from).toBeLessThan(LAME_DUCK_MS_DEFAULT + DRAIN_MS);
  expect(seen.broken).toBe(0);
  expect(seen.toldToClose).toBeGreaterThan(0);
});

test('whoever stops a process waits for longer than it may take: docker, and npm start', () => {
  const compose = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
  const image = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  const lameDuckMs = Number(/^ +LAME_DUCK_MS: (\d+)$/m.exec(compose)?.[1]);
  expect(Number(/^ENV LAME_DUCK_MS=(\d+)$/m.exec(image)?.[1])).toBe(lameDuckMs);
  const graceMs = Number(/^ +stop_grace_period: (\d+)s$/m.exec(compose)?.[1]) * 1_000;
  expect(lameDuckMs + STOP_MS).toBeLessThan(graceMs);
  expect(LAME_DUCK_MS_DEFAULT + STOP_MS).toBeLessThan(WORKER_STOP_MS);
  const [, everySeconds, fall] = /inter (\d+)s fall (\d+)/.exec(compose) ?? [];
  expect(Number(everySeconds) * 1_000 * (Number(fall) + 1)).toBeLessThan(lameDuckMs);
});

async function running(name: string, variable: string, lameDuckMs: number) {
  const environment = {
    ...(await testEnvironment(database)),
    ...{ DATABASE_REPLICA_URL: '', LOG_LEVEL: 'info', LAME_DUCK_MS: String(lameDuckMs) },
  };
  const launched = launch([LAUNCH, name], environment);
  const url = `http://127.0.0.1:${(environment as Record<string, string>)[variable]}`;
  await ready(url);
  return { ...launched, url };
}
