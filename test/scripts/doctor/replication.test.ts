import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connections } from '../../../scripts/doctor/connections.ts';
import { memoryFit } from '../../../scripts/doctor/memory-fit.ts';
import { replicaLag } from '../../../scripts/doctor/replica-lag.ts';
import { replicationSlots } from '../../../scripts/doctor/replication-slots.ts';
import { serverMemory } from '../../../scripts/doctor/server-memory.ts';
import { freePort } from '../../../scripts/embedded/ports.ts';
import { createPrimary, createReplica, type Postgres } from '../../../scripts/embedded/postgres.ts';
import { loadSecrets } from '../../../scripts/embedded/secrets.ts';
import { asAdmin, until } from '../../database.ts';
import { look } from './servers.ts';

/** Servers of this file's own: it changes settings that others live by. */
let folder: string;
let primary: Postgres;
let replica: Postgres;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tardigrade-doctor-'));
  const base = { folder, secrets: loadSecrets(folder), durable: false };
  primary = await createPrimary({ ...base, port: await freePort() });
  replica = await createReplica({ ...base, port: await freePort(), primary });
});
afterAll(async () => {
  await replica?.stop();
  await primary?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('an unused slot is a danger where nothing limits the WAL that it keeps', async () => {
  const slots = async () => {
    const findings = await look(replicationSlots, { databaseUrl: primary.url });
    return Object.fromEntries(findings.map(({ says, level }) => [/slot (\w+)/.exec(says)?.[1], level]));
  };
  await asAdmin(async (admin) => {
    await admin.query("select pg_create_physical_replication_slot('forgotten', true)");
    await writeWal(admin, 3);
  }, primary.adminUrl);
  expect(await slots()).toEqual({ replica: 'ok', forgotten: 'advice' });
  await change(primary, "max_slot_wal_keep_size = '-1'");
  expect(await slots()).toEqual({ replica: 'advice', forgotten: 'danger' });
  await asAdmin((admin) => admin.query("select pg_drop_replication_slot('forgotten')"), primary.adminUrl);
  await change(primary, "max_slot_wal_keep_size = '256MB'");
  expect(await slots()).toEqual({ replica: 'ok' });
});

test('a replica whose replay is paused falls behind, and both are reported', async () => {
  const both = { databaseUrl: primary.url, databaseReplicaUrl: replica.url };
  const levels = async () => (await look(replicaLag, both)).map(({ level }) => level);
  await until('the replica has caught up', async () =>
    (await look(replicaLag, both))[0]?.says.startsWith('0 B behind'),
  );
  expect(await levels()).toEqual(['ok', 'ok']);
  await asAdmin((admin) => admin.query('select pg_wal_replay_pause()'), replica.adminUrl);
  await asAdmin((admin) => writeWal(admin, 2), primary.adminUrl);
  const [lag, paused] = await look(replicaLag, both);
  await asAdmin((admin) => admin.query('select pg_wal_replay_resume()'), replica.adminUrl);
  expect(lag?.says).toMatch(/^(1[6-9]|[234]\d) MB behind the primary, .*; it streams$/);
  expect(paused).toMatchObject({ level: 'advice', says: 'replay is paused' });
});

test('reads that recovery cancelled are reported', async () => {
  await change(replica, "max_standby_streaming_delay = '0'");
  await asAdmin((admin) => admin.query('create table rows as select generate_series(1, 1000) as n'), primary.adminUrl);
  await until('the replica has the table', () =>
    asAdmin(
      async (reader) => (await reader.query("select to_regclass('rows') as there")).rows[0].there,
      replica.adminUrl,
    ),
  );
  const reader = new Client({ connectionString: replica.adminUrl });
  reader.on('error', () => undefined); // an idle reader loses its whole connection
  await reader.connect();
  await reader.query('begin isolation level repeatable read');
  await reader.query('select count(*) from rows');
  await asAdmin((admin) => admin.query('delete from rows'), primary.adminUrl);
  await asAdmin((admin) => admin.query('vacuum rows'), primary.adminUrl);
  const findings = await until('it is counted', async () => {
    const seen = await look(replicaLag, { databaseUrl: primary.url, databaseReplicaUrl: replica.url });
    return seen.at(-1)?.level === 'advice' ? seen : undefined;
  });
  expect(findings.at(-1)?.says).toBe(
    'reads cancelled by conflicts with recovery: 1 (hot_standby_feedback off, max_standby_streaming_delay 0)',
  );
  await reader.end().catch(() => undefined);
});

test('a primary address that leads to a replica is a danger, and a replica address that leads to a primary is reported', async () => {
  const [swapped] = await look(replicaLag, { databaseUrl: replica.url });
  expect(swapped).toMatchObject({ level: 'danger', says: expect.stringContaining('it refuses every write') });
  const [promoted] = await look(replicaLag, { databaseUrl: primary.url, databaseReplicaUrl: primary.url });
  expect(promoted).toMatchObject({ level: 'advice', says: expect.stringContaining('is not in recovery') });
});

test('a replica that does not answer is reported, and the primary is checked all the same', async () => {
  const databaseReplicaUrl = `postgres://who@127.0.0.1:${await freePort()}/nothing`;
  const findings = await look(replicaLag, { databaseUrl: primary.url, databaseReplicaUrl });
  expect(findings).toMatchObject([{ level: 'advice', says: expect.stringContaining('nothing listens there') }]);
  expect(await look(serverMemory, { databaseUrl: primary.url, databaseReplicaUrl })).toHaveLength(2);
});

test('settings that need more memory than the machine has are a danger', async () => {
  const worst = async (memoryMb: number) =>
    (await look(serverMemory, { databaseUrl: primary.url }, memoryMb * 1024 ** 2))[0];
  expect(await worst(512)).toMatchObject({ level: 'ok', says: expect.stringContaining('= 208 MB of 512 MB') });
  expect(await worst(250)).toMatchObject({ level: 'advice' });
  expect(await worst(200)).toMatchObject({ level: 'danger' });
});

test('settings that cost a small machine more than they gain are reported, and only there', async () => {
  await change(primary, 'jit = on');
  const says = async (memoryMb: number) =>
    (await look(serverMemory, { databaseUrl: primary.url }, memoryMb * 1024 ** 2)).map(({ says: text }) => text);
  expect(await says(512)).toContain('primary: jit on, 0 parallel workers per query');
  expect(await says(4096)).not.toContain('primary: jit on, 0 parallel workers per query');
  await change(primary, 'jit = off');
});

test('data larger than the cache is reported with its largest tables', async () => {
  const [small] = await look(memoryFit, { databaseUrl: primary.url }, 4 * 1024 ** 2);
  expect(small).toMatchObject({ level: 'advice', says: expect.stringContaining('of 4 MB about 2 MB can cache it') });
  expect((await look(memoryFit, { databaseUrl: primary.url }))[0]?.level).toBe('ok');
});

test('a role may be allowed fewer connections than the server has', async () => {
  const role = new URL(primary.url).username;
  await asAdmin((admin) => admin.query(`alter role ${role} connection limit 9`), primary.adminUrl);
  const [budget] = await look(connections, { databaseUrl: primary.url });
  await asAdmin((admin) => admin.query(`alter role ${role} connection limit -1`), primary.adminUrl);
  expect(budget).toMatchObject({
    level: 'danger',
    says: expect.stringContaining('of 9 (the connection limit of the role)'),
  });
  expect((await look(connections, { databaseUrl: primary.url }))[0]?.level).toBe('ok');
});

async function writeWal(admin: Client, segments: number): Promise<void> {
  for (let segment = 0; segment < segments; segment++) {
    await admin.query("select pg_logical_emit_message(false, 'doctor', 'x')");
    await admin.query('select pg_switch_wal()');
  }
}

async function change({ adminUrl }: Postgres, setting: string): Promise<void> {
  const [name = '', value = ''] = setting.split(' = ');
  await asAdmin(async (admin) => {
    await admin.query(`alter system set ${setting}`);
    await admin.query('select pg_reload_conf()');
  }, adminUrl);
  // Each connection takes it up by itself, a new one at its start.
  await until(`${setting} holds`, () =>
    asAdmin(async (admin) => {
      const { rows } = await admin.query('select current_setting($1) as now', [name]);
      return rows[0].now === value.replaceAll("'", '');
    }, adminUrl),
  );
}
