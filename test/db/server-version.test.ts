import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { serverVersion } from '../../scripts/doctor/server-version.ts';
import { freePort } from '../../scripts/embedded/ports.ts';
import { migrate, openMigrationDatabase } from '../../src/db/migrate.ts';
import { refuseOldServer, refuseWrongReplica, tooOld } from '../../src/db/server-version.ts';
import { createTestDatabase, openOwner, type TestDatabase } from '../database.ts';
import { type OldServer, oldPrograms, rowsOf, startOldServer } from '../old-postgres.ts';
import { LAUNCH, launch } from '../process/launched.ts';
import { createQuietLog } from '../process/quiet-log.ts';
import { look } from '../scripts/doctor/servers.ts';
import { testEnvironment } from '../worker.ts';

let on: TestDatabase;
beforeAll(async () => {
  on = await createTestDatabase();
});
afterAll(() => on.close());

test.each([
  [17_00_02, '17.2 (Debian 17.2-1.pgdg120+1)', 'Tardigrade needs PostgreSQL 18 or newer; this server is 17.2.'],
  [9_06_24, '9.6.24', 'Tardigrade needs PostgreSQL 18 or newer; this server is 9.6.24.'],
  [18_00_00, '18.0', undefined],
  [18_00_04, '18.4 (Debian 18.4-1)', undefined],
  [19_00_00, '19beta1', undefined],
])('server_version_num %i: %s', (number, version, sentence) => {
  expect(tooOld('this server', { number, version })).toBe(sentence);
});

test('the servers of the tests are new enough, and the replica is the replica', async () => {
  const { log, warn } = createQuietLog();
  await refuseOldServer(on.db);
  await refuseWrongReplica(on.database.server, on.replicaUrl, log);
  expect(warn).not.toHaveBeenCalled();
});

test('a replica that does not answer is not refused, because reads go to the primary', async () => {
  const { log, warn } = createQuietLog();
  await refuseWrongReplica(on.database.server, `postgres://a:b@127.0.0.1:${await freePort()}/none`, log);
  expect(warn).toHaveBeenCalledOnce();
});

describe.skipIf(oldPrograms() === undefined)('a real server of an older version', () => {
  let old: OldServer;
  beforeAll(async () => {
    old = await startOldServer(oldPrograms() as string);
  });
  afterAll(() => old?.stop());

  const sentence = () => `Tardigrade needs PostgreSQL 18 or newer; this server is ${old.version}.`;

  test('is refused by migrate, before anything is written', async () => {
    const db = openMigrationDatabase(old.url);
    try {
      await expect(migrate(db)).rejects.toThrow(sentence());
    } finally {
      await db.destroy();
    }
    expect(await tablesIn(old.url)).toEqual([]);
  });

  test.each(['migrate', 'api', 'mailer', 'chat', 'all'])('is refused in one sentence when %s starts', async (name) => {
    const environment = await testEnvironment(on);
    const { ended, output } = launch([LAUNCH, name], {
      ...environment,
      DATABASE_URL: old.url,
      DATABASE_REPLICA_URL: '',
    });
    expect(await ended).toMatchObject({ code: 1 });
    expect(output()).toBe(`${name} cannot start.\n${sentence()}\n`);
  });

  test('is refused as a replica', async () => {
    const environment = await testEnvironment(on);
    const { ended, output } = launch([LAUNCH, 'api'], { ...environment, DATABASE_REPLICA_URL: old.url });
    expect(await ended).toMatchObject({ code: 1 });
    expect(output()).toBe(
      `api cannot start.\nTardigrade needs PostgreSQL 18 or newer; the replica is ${old.version}.\n`,
    );
  });

  test('is a danger for the doctor', async () => {
    const findings = await look(serverVersion, { databaseUrl: old.url, databaseReplicaUrl: on.replicaUrl });
    expect(findings).toMatchObject([
      { level: 'danger', says: `Tardigrade needs PostgreSQL 18 or newer; the primary is ${old.version}.` },
      { level: 'ok', says: expect.stringMatching(/^replica: PostgreSQL 18/) },
    ]);
  });

  test('has another identifier, by which a server with the data of another one is not taken for a replica', async () => {
    const pool = openOwner(old.url);
    try {
      const { log } = createQuietLog();
      await expect(refuseWrongReplica(pool.unscoped, inject('databaseUrl'), log)).rejects.toThrow(
        'DATABASE_REPLICA_URL does not lead to a replica of the server in DATABASE_URL',
      );
    } finally {
      await pool.close();
    }
  });
});

const tablesIn = (url: string) => rowsOf(url, "select tablename from pg_tables where schemaname = 'public'");
