import { createServer } from 'node:http';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/embedded/ports.ts';
import { loadConfig } from '../../src/config.ts';
import { MAILER_NICE, START_MS } from '../../src/limits.ts';
import { createShutdown } from '../../src/process/graceful-shutdown.ts';
import { createProcess } from '../../src/process/run-process.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { testEnvironment } from '../worker.ts';
import { LAUNCH, launch, ready, WITH_PROCESS_MS } from './launched.ts';
import { createQuietLog } from './quiet-log.ts';

const STACK_TRACE = /^ +at /m;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ replica: false });
});
afterAll(() => database.close());

test('an empty environment: every fault on stderr, no stack, exit code 1', async () => {
  const { ended, output } = launch([LAUNCH, 'api']);
  expect(await ended).toMatchObject({ code: 1 });
  expect(output()).toMatch(/^api cannot start\.\nThe environment has 4 faults:\n/);
  for (const name of ['DATABASE_URL', 'REDIS_URL', 'SMTP_URL', 'SECRET_KEY']) expect(output()).toContain(`- ${name}`);
  expect(output()).not.toMatch(STACK_TRACE);
});

test('a database that is down: its address, what to check, no password, exit code 1 within seconds', async () => {
  const port = await freePort();
  const { ended, stderr, output } = launch([LAUNCH, 'api'], {
    ...(await environment()),
    DATABASE_URL: `postgres://app:pass-word@127.0.0.1:${port}/app`,
  });
  const { code, afterMs } = await ended;
  expect(code).toBe(1);
  const toStartMs = (await launch([LAUNCH, 'api']).ended).afterMs; // what this machine takes to fail without asking anybody
  expect(afterMs - toStartMs).toBeLessThan(START_MS / 2);
  expect(stderr()).toContain(`The database does not answer at 127.0.0.1:${port}`);
  expect(stderr()).toContain('Is it running, and is DATABASE_URL right?');
  expect(output()).not.toContain('pass-word');
  expect(stderr()).not.toMatch(STACK_TRACE);
});

test('a port that is taken: its number, the variable that changes it, exit code 1', async () => {
  const settings = await environment();
  const holder = createServer().listen(Number(settings['API_PORT']), '127.0.0.1');
  onTestFinished(() => void holder.close());
  const { ended, stderr } = launch([LAUNCH, 'api'], settings);
  expect(await ended).toMatchObject({ code: 1 });
  expect(stderr()).toContain(`Port ${settings['API_PORT']} on 127.0.0.1 is taken`);
  expect(stderr()).toContain('set API_PORT to a free port');
  expect(stderr()).not.toMatch(STACK_TRACE);
});

test.each([
  ['api', 'API_PORT', 'SIGTERM'],
  ['mailer', 'MAILER_PORT', 'SIGTERM'],
  ['chat', 'CHAT_PORT', 'SIGHUP'],
  ['all', 'API_PORT', 'SIGINT'],
] as const)(
  '%s becomes ready, and ends with 0 in time when it is told to (%s, %s)',
  {
    timeout: WITH_PROCESS_MS,
  },
  async (name, variable, signal) => {
    const settings = await environment();
    const { child, ended, lines, output } = launch([LAUNCH, name], settings);
    await ready(`http://127.0.0.1:${settings[variable]}`);
    expect(getPriority(child.pid)).toBe(name === 'mailer' ? MAILER_NICE : getPriority());
    child.kill(signal);
    expect(await ended, output()).toMatchObject({ code: 0, signal: null }); // after STOP_MS it would be 1
    expect(lines().map(({ msg }) => msg)).toEqual(expect.arrayContaining(['started', 'stopping', 'stopped']));
    expect(lines().find(({ msg }) => msg === 'stopped')).toMatchObject({ clean: true });
  },
);

test('an unexpected error: logged as fatal, closed in order, exit code 1', async () => {
  const runProcess = join(import.meta.dirname, '..', '..', 'src', 'process', 'run-process.ts');
  const program = `
    import { runProcess } from ${JSON.stringify(runProcess)};
    await runProcess('migrate', async (process) => {
      await process.open('notebook', () => 'notebook', () => process.log.info('notebook closed'));
      setTimeout(() => { throw new Error('unexpected'); }, 1);
      setInterval(() => {}, 1_000);
    });`;
  const { ended, lines } = launch(['--input-type=module', '-e', program], await environment());
  expect(await ended).toMatchObject({ code: 1 });
  const said = lines().map(({ msg }) => msg);
  expect(said).toEqual(expect.arrayContaining(['uncaught exception', 'stopping', 'notebook closed', 'stopped']));
  expect(lines().find(({ msg }) => msg === 'uncaught exception')).toMatchObject({
    level: 60,
    err: { message: 'unexpected', stack: expect.stringMatching(STACK_TRACE) },
  });
});

test('a start that fails halfway closes what it had opened', async () => {
  const runProcess = join(import.meta.dirname, '..', '..', 'src', 'process', 'run-process.ts');
  const errors = join(import.meta.dirname, '..', '..', 'src', 'errors.ts');
  const program = `
    import { StartError } from ${JSON.stringify(errors)};
    import { runProcess } from ${JSON.stringify(runProcess)};
    await runProcess('api', async (process) => {
      await process.open('notebook', () => 'notebook', () => process.log.info('notebook closed'));
      throw new StartError('The pen is empty. Fill it.');
    });`;
  const { ended, lines, stderr } = launch(['--input-type=module', '-e', program], await environment());
  expect(await ended).toMatchObject({ code: 1 });
  expect(lines().map(({ msg }) => msg)).toContain('notebook closed');
  expect(stderr()).toBe('api cannot start.\nThe pen is empty. Fill it.\n');
});

test('a resource is shared by its name, opened once and closed once', async () => {
  const { log } = createQuietLog();
  const shutdown = createShutdown(log);
  const shared = createProcess('all', loadConfig(await environment()), log, shutdown, () => undefined);
  let opened = 0;
  let closed = 0;
  const open = () =>
    shared.open(
      'database',
      async () => ({ number: ++opened }),
      () => closed++,
    );
  const [first, second] = await Promise.all([open(), open()]);
  expect(first).toBe(second);
  await shutdown.stop('test');
  expect({ opened, closed }).toEqual({ opened: 1, closed: 1 });
});

async function environment(): Promise<Record<string, string>> {
  return { ...(await testEnvironment(database)), DATABASE_REPLICA_URL: '', LOG_LEVEL: 'info' };
}
