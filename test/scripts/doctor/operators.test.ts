/** What people who look after many databases look for first: each fault is planted, and without it nothing is said. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { archiving } from '../../../scripts/doctor/archiving.ts';
import { blocked } from '../../../scripts/doctor/blocked.ts';
import { duplicateIndexes } from '../../../scripts/doctor/duplicate-indexes.ts';
import { durability } from '../../../scripts/doctor/durability.ts';
import { sequences } from '../../../scripts/doctor/sequences.ts';
import { temporaryFiles } from '../../../scripts/doctor/temporary-files.ts';
import { freePort } from '../../../scripts/embedded/ports.ts';
import { createPrimary, type Postgres } from '../../../scripts/embedded/postgres.ts';
import { loadSecrets } from '../../../scripts/embedded/secrets.ts';
import { asAdmin, createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { look } from './servers.ts';

vi.mock('../../../scripts/doctor/limits.ts', async (original) => ({
  ...(await original<object>()),
  BLOCKED_MS_MAX: 100,
  TEMPORARY_BYTES_PER_DAY_MAX: 1024 * 1024,
}));

let own: TestDatabase;
/** A server whose settings nobody else depends on. */
let server: Postgres;
let folder: string;

beforeAll(async () => {
  own = await createTestDatabase({ replica: false });
  folder = mkdtempSync(path.join(tmpdir(), 'tardigrade-doctor-'));
  server = await createPrimary({ folder, secrets: loadSecrets(folder), port: await freePort() });
});
afterAll(async () => {
  await own.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const here = () => ({ databaseUrl: own.ownerUrl });
const there = () => ({ databaseUrl: server.adminUrl });

test('an index that begins like another one is reported, and one that enforces something or differs is not', async () => {
  const ask = (text: string) => asAdmin((client) => client.query(text), own.ownerUrl);
  await ask(`
    create table visits (id bigint primary key, place int, at timestamptz, who text);
    insert into visits select n, n % 100, now(), 'somebody' from generate_series(1, 300000) n;
    create index visits_by_place_and_time on visits (place, at);
    create unique index visits_once on visits (place, id);
    create index visits_by_time on visits (at);
    create index visits_by_place_backwards on visits (place desc);
    create index visits_by_place_of_some on visits (place) where id > 5`);
  expect(await look(duplicateIndexes, here())).toMatchObject([{ level: 'ok' }]);
  await ask('create index visits_by_place on visits (place)');
  expect(await look(duplicateIndexes, here())).toMatchObject([
    {
      level: 'advice',
      says: expect.stringMatching(
        /^(public\.)?visits_by_place on (public\.)?visits \(\d.* MB\) is covered by (public\.)?visits_/,
      ),
      advice: expect.stringMatching(/^drop index concurrently (public\.)?visits_by_place$/),
    },
  ]);
});

test('ids that run out are advice at first and then a danger, by the width of the column', async () => {
  const ask = (text: string) => asAdmin((client) => client.query(text), own.ownerUrl);
  expect(await look(sequences, here())).toMatchObject([{ level: 'ok' }]);
  await ask('create table narrow (id serial primary key)');
  await ask("select setval('narrow_id_seq', 1600000000)");
  expect(await look(sequences, here())).toMatchObject([{ level: 'advice', says: expect.stringContaining('75 %') }]);
  await ask("select setval('narrow_id_seq', 2000000000)");
  expect(await look(sequences, here())).toMatchObject([
    { level: 'danger', says: expect.stringContaining('(integer): 93 %') },
  ]);
});

test('whoever holds up others is named, with the statement that ends it', async () => {
  expect(await look(blocked, here())).toMatchObject([{ level: 'ok' }]);
  const [holder, waiter] = [
    new Client({ connectionString: own.ownerUrl, application_name: 'holder' }),
    new Client(own.ownerUrl),
  ];
  for (const client of [holder, waiter]) await client.connect();
  onTestFinished(async () => void (await Promise.all([holder.end(), waiter.end()])));
  await holder.query('create table held (id int)');
  await holder.query('begin; lock table held');
  const waiting = waiter.query('select from held');
  const found = await until('it is seen', async () => {
    const findings = await look(blocked, here());
    return findings[0]?.level === 'danger' ? findings : undefined;
  });
  await holder.query('rollback');
  await waiting;
  expect(found).toMatchObject([
    {
      says: expect.stringMatching(/\(holder, idle in transaction\) holds up 1 others/),
      advice: expect.stringContaining('select pg_terminate_backend('),
    },
  ]);
});

test('sorts that go to disk are reported by what they write a day', async () => {
  expect(await look(temporaryFiles, there())).toMatchObject([{ level: 'ok' }]);
  await asAdmin(async (client) => {
    await client.query("set work_mem = '64kB'");
    await client.query(
      'select count(*) from (select n from generate_series(1, 500000) n order by md5(n::text)) sorted',
    );
    await client.query('select pg_stat_force_next_flush()');
  }, server.adminUrl);
  await until('it is counted', async () => (await look(temporaryFiles, there()))[0]?.level === 'advice');
});

test.each(['fsync', 'full_page_writes', 'synchronous_commit', 'autovacuum'])(
  '%s that is off is a danger',
  async (name) => {
    expect((await look(durability, there())).filter(({ level }) => level === 'danger')).toEqual([]);
    await set(name, 'off');
    onTestFinished(() => set(name, 'on'));
    await until('the server has it', async () => (await look(durability, there()))[0]?.level === 'danger');
    expect((await look(durability, there()))[0]?.says).toMatch(new RegExp(`^${name} is off: `));
  },
);

test('a log that is archived nowhere is advice, and archiving that fails a danger', async () => {
  expect(await look(archiving, there())).toMatchObject([
    { level: 'advice', says: expect.stringContaining('not archived') },
  ]);
  await set('archive_mode', 'on');
  await set('archive_command', 'false');
  await server.stop();
  server = await createPrimary({ folder, secrets: loadSecrets(folder), port: server.port });
  await asAdmin((client) => client.query('create table log_to_archive (); select pg_switch_wal()'), server.adminUrl);
  await until('it has failed', async () => (await look(archiving, there()))[0]?.level === 'danger');
  await set('archive_command', 'true');
  await until('it works again', async () => (await look(archiving, there()))[0]?.level === 'ok');
});

async function set(name: string, value: string): Promise<void> {
  await asAdmin(async (client) => {
    await client.query(`alter system set ${name} = '${value}'`);
    await client.query('select pg_reload_conf()');
  }, server.adminUrl);
}
