import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openServers } from '../../../scripts/doctor/servers.ts';
import { freePort } from '../../../scripts/embedded/ports.ts';
import { type Stack, startStack } from '../../../scripts/embedded/stack.ts';
import { migrate, openMigrationDatabase } from '../../../src/db/migrate.ts';
import { NANO_BYTES } from '../../../src/limits.ts';
import { asAdmin } from '../../database.ts';
import { launch } from '../../process/launched.ts';
import { ONE_OF_EACH } from './servers.ts';

const DOCTOR = path.resolve(import.meta.dirname, '..', '..', '..', 'scripts', 'doctor.ts');
const NO_STACK = `--folder=${path.join(tmpdir(), 'tardigrade-no-stack')}`;
/** Durable servers of its own: the others' settings are not those of a healthy deployment. */
let stack: Stack;
let folder: string;
let own: { url: string; ownerUrl: string; replicaUrl: string };

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tardigrade-doctor-'));
  stack = await startStack({ folder, ports: 'any', withMail: false });
  const db = openMigrationDatabase(stack.databaseUrl);
  await migrate(db).finally(() => db.destroy());
  own = {
    url: stack.workerDatabaseUrl,
    ownerUrl: stack.databaseUrl,
    replicaUrl: stack.workerDatabaseReplicaUrl as string,
  };
});
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('a healthy deployment ends with 0, and every check ran', async () => {
  const { code, output } = await doctor([], {
    DATABASE_URL: own.ownerUrl,
    DATABASE_REPLICA_URL: own.replicaUrl,
    REDIS_URL: stack.redisUrl,
  });
  expect(output).toMatch(/\n0 dangers, \d+ advices?, \d+ ok\n$/);
  expect(output).not.toContain('not looked at');
  for (const check of ['memory-fit', 'connections', 'redis-memory', 'replica-lag', 'transaction-age']) {
    expect(output).toMatch(new RegExp(`^ok +${check} `, 'm'));
  }
  expect(code).toBe(0);
});

test('a role without rights reports what it cannot see', async () => {
  const name = `doctor_${randomBytes(6).toString('hex')}`;
  await asAdmin(async (admin) => {
    await admin.query(`create role ${name} login password 'plain'`);
    await admin.query(`create database ${name} template template0`);
  }, stack.databaseAdminUrl);
  try {
    const url = new URL(own.url);
    Object.assign(url, { username: name, password: 'plain', pathname: `/${name}` });
    const { code, output } = await doctor([`--database-url=${url.href}`]);
    expect(output).toContain('the transactions of other roles are hidden from this one');
    expect(output).toContain('Redis was not looked at');
    expect(output.match(/not looked at/g)).toHaveLength(1);
    expect(output).not.toContain('plain');
    expect(code).toBe(0);
  } finally {
    await asAdmin(async (admin) => {
      await admin.query(`drop database ${name} with (force)`);
      await admin.query(`drop role ${name}`);
    }, stack.databaseAdminUrl);
  }
});

test('pools beyond max_connections are a danger: exit code 1, and the last lines say so', async () => {
  const { code, output } = await doctor([`--database-url=${own.url}`, '--instances=api:100']);
  expect(output).toMatch(
    /\ndanger +connections +primary: api 100 x 5 \+ 8 reserved = 508 of 37 .*\n.*-> .*\n\n1 danger, /,
  );
  expect(code).toBe(1);
});

test('programs read the same findings as JSON', async () => {
  const { code, stdout } = await doctor([
    `--database-url=${own.url}`,
    '--memory=2g',
    '--instances=chat:1000',
    '--json',
  ]);
  const { memoryBytes, instances, findings } = JSON.parse(stdout);
  expect(memoryBytes).toBe(2 * 1024 ** 3);
  expect(instances).toEqual({ api: 0, mailer: 0, chat: 1000, all: 0 });
  const danger = findings.find(({ level }: { level: string }) => level === 'danger');
  expect(danger).toMatchObject({ check: 'connections', says: expect.stringContaining('chat 1000 x') });
  expect(code).toBe(1);
});

test('an unreachable database ends with 2 and one sentence', async () => {
  const { code, output } = await doctor([`--database-url=postgres://who:secret@127.0.0.1:${await freePort()}/nothing`]);
  expect(output).toMatch(/^The primary at 127\.0\.0\.1:\d+\/nothing cannot be reached: nothing listens there .*\n$/);
  expect(code).toBe(2);
});

test('a refused password is reported without showing it', async () => {
  const url = new URL(own.url);
  url.password = 'mistyped';
  const opened = openServers(
    { databaseUrl: url.href, databaseReplicaUrl: undefined, redisUrl: undefined },
    { instances: ONE_OF_EACH, memoryBytes: NANO_BYTES },
  );
  await expect(opened).rejects.toThrow(/^The primary at [^@]+ cannot be reached: it refused the password\.$/);
});

test('unknown arguments end with 64 and the usage', async () => {
  const { code, output } = await doctor(['--memory=much']);
  expect(output).toMatch(/^--memory is a size like 512m or 2g, not much\nnpm run doctor -- /);
  expect(code).toBe(64);
});

test('its connection is read-only and has timeouts, whatever the address asks for', async () => {
  const url = `${own.ownerUrl}?options=${encodeURIComponent('-c default_transaction_read_only=off -c statement_timeout=0')}`;
  const servers = await openServers(
    { databaseUrl: url, databaseReplicaUrl: undefined, redisUrl: undefined },
    { instances: ONE_OF_EACH, memoryBytes: NANO_BYTES },
  );
  try {
    await expect(servers.primary.rows('create table public.written ()')).rejects.toMatchObject({ code: '25006' });
    expect(await servers.primary.rows('show statement_timeout')).toEqual([{ statement_timeout: '5s' }]);
  } finally {
    await servers.close();
  }
});

async function doctor(args: string[], environment: Record<string, string> = {}) {
  const { ended, output, stderr } = launch([DOCTOR, NO_STACK, ...args], environment);
  const { code } = await ended;
  return { code, output: output(), stdout: output().slice(0, output().length - stderr().length) };
}
