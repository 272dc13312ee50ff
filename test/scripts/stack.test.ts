import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { StackRunningError } from '../../scripts/embedded/leftovers.ts';
import { choosePort, USUAL_PORTS } from '../../scripts/embedded/ports.ts';
import { livingProcesses } from '../../scripts/embedded/process-record.ts';
import { type Stack, type StackOptions, startStack } from '../../scripts/embedded/stack.ts';
import { reset } from '../../scripts/reset.ts';

const SEEN_MS = 60_000;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

test('a row written on the primary appears on the replica, which refuses writes', async () => {
  const stack = await start(newFolder());
  await query(stack.databaseUrl, 'create table letters (letter text)');
  await query(stack.databaseUrl, "insert into letters values ('a')");
  await until(async () => (await letters(stack.databaseReplicaUrl)).length === 1);
  expect(await letters(stack.databaseReplicaUrl)).toEqual(['a']);
  await expect(query(stack.databaseReplicaUrl as string, "insert into letters values ('b')")).rejects.toThrow(
    /read-only/,
  );
});

test('the workers get a role that owns nothing and is bound by Row-Level Security', async () => {
  const stack = await start(newFolder(), { withReplica: false });
  const rows = await query(
    stack.workerDatabaseUrl,
    `select rolsuper, rolbypassrls, rolinherit, rolcreatedb,
       (select count(*)::int from pg_class where relowner = pg_roles.oid) as owns
     from pg_roles where rolname = current_user`,
  );
  expect(rows).toEqual([{ rolsuper: false, rolbypassrls: false, rolinherit: false, rolcreatedb: false, owns: 0 }]);
});

test('an older data folder gets rights that were added later', async () => {
  const folder = newFolder();
  const first = await start(folder, { withReplica: false });
  const given = (stack: Stack) =>
    query(
      stack.databaseUrl,
      `select pg_has_role('tardigrade_system', 'pg_read_all_stats', 'usage') as stats,
         (select rolbypassrls from pg_roles where rolname = current_user) as bypass`,
    );
  await query(first.databaseAdminUrl as string, 'revoke pg_read_all_stats from tardigrade_system');
  await query(first.databaseAdminUrl as string, 'alter role tardigrade nobypassrls');
  expect(await given(first)).toEqual([{ stats: false, bypass: false }]);
  await first.stop();

  const second = await start(folder, { withReplica: false });
  expect(await given(second)).toEqual([{ stats: true, bypass: true }]);
});

test('a second start finds the data again, on the replica as well', async () => {
  const folder = newFolder();
  const first = await start(folder);
  await query(first.databaseUrl, "create table letters as select 'a' as letter");
  await first.stop();

  const second = await start(folder);
  expect(await letters(second.databaseUrl)).toEqual(['a']);
  await until(async () => (await letters(second.databaseReplicaUrl)).length === 1);
});

test('a replica that has diverged from the primary is rebuilt', async () => {
  const folder = newFolder();
  const first = await start(folder);
  await query(first.databaseUrl, "create table letters as select 'a' as letter");
  await first.stop();
  const alone = await start(folder, { withReplica: false });
  await query(alone.databaseAdminUrl as string, "select pg_drop_replication_slot('replica')");
  await alone.stop();

  const second = await start(folder);
  expect(await letters(second.databaseReplicaUrl)).toEqual(['a']);
});

test('a replica whose data directory is damaged is rebuilt', async () => {
  const folder = newFolder();
  const first = await start(folder);
  await query(first.databaseUrl, "create table letters as select 'a' as letter");
  await first.stop();
  rmSync(path.join(folder, 'postgres', 'replica', 'global', 'pg_control'));

  const second = await start(folder);
  expect(await letters(second.databaseReplicaUrl)).toEqual(['a']);
});

test('when the usual port is taken, a free one is used', async () => {
  const usual = USUAL_PORTS.mail;
  const holder = net.createServer().listen(usual, '127.0.0.1');
  // If another process already has the port, it is taken as well.
  await once(holder, 'listening').catch(() => undefined);
  cleanups.push(() => holder.close());

  const chosen = await choosePort('mail', 'usual');
  expect(chosen).not.toBe(usual);
  const server = net.createServer().listen(chosen, '127.0.0.1');
  await once(server, 'listening');
  server.close();
});

test('a folder holds one stack at a time', async () => {
  const folder = newFolder();
  const stack = await start(folder, { withReplica: false });
  await expect(startStack({ folder })).rejects.toThrow(StackRunningError);
  await expect(reset(folder)).rejects.toThrow(/stop it first/);
  expect(await query(stack.databaseUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('servers that a killed parent left running are stopped by the next start', async () => {
  const folder = newFolder();
  const stackModule = path.resolve(import.meta.dirname, '../../scripts/embedded/stack.ts');
  const program = `
    import { startStack } from ${JSON.stringify(stackModule)};
    await startStack({ folder: ${JSON.stringify(folder)}, durable: false, ports: 'any' });
    console.log('up');
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(parent.stdout, 'data');
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  const orphans = livingProcesses(folder);
  expect(orphans.map(({ name }) => name).sort()).toEqual(['mail', 'primary', 'redis', 'replica']);

  const steps: string[] = [];
  const stack = await start(folder, { onProgress: (step) => steps.push(step) });
  expect(steps[0]).toMatch(/stopped leftovers/);
  const living = livingProcesses(folder).map(({ pid }) => pid);
  expect(orphans.filter(({ pid }) => living.includes(pid))).toEqual([]);
  expect(await query(stack.databaseUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('a pid file whose number now belongs to another process stops nothing and does not block the start', async () => {
  const folder = newFolder();
  await (await start(folder, { withReplica: false })).stop();
  const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  cleanups.push(() => bystander.kill('SIGKILL'));
  writeFileSync(path.join(folder, 'postgres', 'primary', 'postmaster.pid'), `${bystander.pid}\n`);
  writeFileSync(
    path.join(folder, 'run', 'redis.json'),
    JSON.stringify({ name: 'redis', pid: bystander.pid, born: '1' }),
  );

  const stack = await start(folder, { withReplica: false });
  expect(await query(stack.databaseUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
  expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
});

test('a Redis that is killed is told of at once in plain words, and runs again at its address with its data', async () => {
  const { stack, news } = await startWatched({ withReplica: false });
  const redis = new Redis(stack.redisUrl);
  cleanups.push(() => redis.disconnect());
  redis.on('error', () => undefined);
  await redis.set('job', 'kept');
  const { redis: killed } = stack.pids;
  process.kill(killed as number, 'SIGKILL');
  await until(async () => news.includes(`redis runs again as ${stack.pids['redis']}`));
  expect(stack.pids['redis']).not.toBe(killed);
  expect(news[0]).toMatch(
    /^redis died \(signal SIGKILL.*\); restart 1 of 10 in 250 ms\. Until then people are served, and/,
  );
  expect(await redis.get('job')).toBe('kept');
});

test('a primary and a replica that are killed recover all that was committed, and the replica streams again', async () => {
  const { stack, news } = await startWatched();
  await query(stack.databaseUrl, 'create table letters (letter text)');
  const holder = new pg.Client({ connectionString: stack.databaseUrl });
  holder.on('error', () => undefined);
  await holder.connect();
  cleanups.push(() => holder.end().catch(() => undefined));
  await holder.query("insert into letters values ('committed')");
  await holder.query("begin; insert into letters values ('not committed')");
  const { primary, replica } = stack.pids;
  process.kill(primary as number, 'SIGKILL');
  process.kill(replica as number, 'SIGKILL');
  await until(async () =>
    ['primary', 'replica'].every((name) => news.includes(`${name} runs again as ${stack.pids[name]}`)),
  );
  expect(await letters(stack.databaseUrl)).toEqual(['committed']);
  await query(stack.databaseUrl, "insert into letters values ('later')");
  await until(async () => (await letters(stack.databaseReplicaUrl)).length === 2);
});

test('a server that somebody stopped stays down: they may be at its data', async () => {
  const { stack, news } = await startWatched({ withReplica: false });
  process.kill(stack.pids['redis'] as number, 'SIGTERM');
  await until(async () => news.length > 0);
  expect(news[0]).toMatch(
    /^redis ended \(exit code 0\); somebody has stopped it, so it is not restarted: people are served, and mails and jobs wait\. See why in .*redis\.log, then stop everything with Ctrl-C/,
  );
});

test('a server that is stopped while it starts again leaves no process behind', async () => {
  const { stack, news, folder } = await startWatched({ withReplica: false });
  process.kill(stack.pids['primary'] as number, 'SIGKILL');
  await until(async () => news.length > 0);
  await stack.stop();
  expect(livingProcesses(folder)).toEqual([]);
});

test('given servers replace the embedded ones, and no embedded replica is started', async () => {
  const given = { databaseUrl: 'postgres://elsewhere/db', redisUrl: 'redis://elsewhere', smtpUrl: 'smtp://elsewhere' };
  const stack = await start(newFolder(), { given });
  expect(stack).toMatchObject({ ...given, databaseReplicaUrl: undefined, pids: {} });
});

test('reset empties the folder of a stack that was stopped', async () => {
  const folder = newFolder();
  await (await start(folder, { withReplica: false })).stop();
  expect(existsSync(path.join(folder, 'postgres'))).toBe(true);
  await reset(folder);
  expect(existsSync(path.join(folder, 'postgres'))).toBe(false);
  expect(existsSync(path.join(folder, 'secrets.json'))).toBe(false);
});

function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tardigrade-stack-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function start(folder: string, options: Partial<StackOptions> = {}): Promise<Stack> {
  const stack = await startStack({ folder, durable: false, ports: 'any', ...options });
  cleanups.push(() => stack.stop());
  return stack;
}

/** As `npm start` does, with what it says. */
async function startWatched(options: Partial<StackOptions> = {}) {
  const news: string[] = [];
  const folder = newFolder();
  const watching = {
    restart: true,
    onDeath: (message: string) => news.push(message),
    onRestart: (name: string, pid: number) => news.push(`${name} runs again as ${pid}`),
  };
  const stack = await start(folder, { durable: true, withMail: false, watching, ...options });
  return { stack, news, folder };
}

async function query(connectionString: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Empty as long as the table has not arrived. */
async function letters(url: string | undefined): Promise<string[]> {
  const rows = (await query(url as string, 'select letter from letters').catch(() => [])) as { letter: string }[];
  return rows.map(({ letter }) => letter);
}

async function until(condition: () => Promise<boolean>, ms = SEEN_MS): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not true after ${ms} ms`);
    await delay(20);
  }
}
