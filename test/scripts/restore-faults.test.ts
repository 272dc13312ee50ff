/** What a drill says of backups that cannot be trusted, and what it leaves behind: nothing. */
import { spawn } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { whyNoOperatorTools } from '../../scripts/embedded/operator-tools.ts';
import { choosePort, freePort } from '../../scripts/embedded/ports.ts';
import { createPrimary } from '../../scripts/embedded/postgres.ts';
import { chooseAccount, handOver } from '../../scripts/embedded/postgres-account.ts';
import { ADMIN_ROLE } from '../../scripts/embedded/postgres-roles.ts';
import { loadSecrets } from '../../scripts/embedded/secrets.ts';
import { type ArchivedDatabase, DATABASE, openArchivedDatabase } from '../../scripts/restore/archived-database.ts';
import { type DrillOptions, drill } from '../../scripts/restore/drill.ts';
import { chooseBackup, openPgBackRest, STANZA } from '../../scripts/restore/pgbackrest.ts';
import { requireRoom } from '../../scripts/restore/preconditions.ts';
import { isSound } from '../../scripts/restore/report.ts';
import { findTools, type Tools } from '../../scripts/restore/tools.ts';
import { until } from '../database.ts';

const PREPARE_MS = 400_000;
const DAY_MS = 86_400_000;

describe.skipIf(whyNoOperatorTools())('a restore drill', () => {
  let folder: string;
  let tools: Tools;
  let archived: ArchivedDatabase;
  let primary: pg.Client;
  /** The files of the log in the repository, each with one row of rehearsed_writes, from 1 on. */
  const segments: string[] = [];

  beforeAll(async () => {
    folder = newFolder();
    tools = await findTools();
    const repository = { kind: 'folder', folder: join(folder, 'repository') } as const;
    const say = () => undefined;
    archived = await openArchivedDatabase({ tools, folder, repository, seedScale: 0.02, archiveSeconds: 3600, say });
    primary = new pg.Client({ connectionString: archived.server.url(DATABASE) });
    await primary.connect();
    for (let number = 1; number <= 4; number++) segments.push(await writeAndArchive(number));
  }, PREPARE_MS);
  afterAll(async () => {
    await primary?.end();
    await archived?.server.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
  });

  test('beside a primary that writes brings back what was archived, and disturbs nothing', async () => {
    let written = 1000;
    let writing = true;
    const writes = (async () => {
      while (writing) await primary.query('insert into rehearsed_writes values ($1)', [++written]);
    })();
    let last: unknown;
    const report = await drillOn(archived.settings, {
      ask: async (client) => {
        last = (await client.query('select max(number) as last from rehearsed_writes')).rows[0].last;
      },
    });
    writing = false;
    await writes;
    expect([isSound(report), report.faults, last]).toEqual([true, [], 4]);
    expect(written).toBeGreaterThan(1100);
  });

  test.for(['missing', 'damaged'])('says that a file in the middle of the log is %s', async (what) => {
    const { settings, repository } = copyRepository();
    const file = found(repository, `archive/**/${segments[1]}-*`);
    if (what === 'missing') rmSync(file);
    else damage(file);
    let last: unknown;
    const report = await drillOn(settings, {
      ask: async (client) => {
        last = (await client.query('select max(number) as last from rehearsed_writes')).rows[0].last;
      },
    });
    expect(last).toBe(1);
    expect(isSound(report)).toBe(false);
    expect(report.faults).toEqual([expect.stringMatching(/a file between them is missing or damaged/)]);
  });

  test('says that a file of the backup is damaged, and how to find out which', async () => {
    const { settings, repository } = copyRepository();
    damage(found(repository, 'backup/*/*F/bundle/1'));
    await expect(drillOn(settings)).rejects.toThrow(/^Nothing can be restored from \S+F: a file of it is damaged/);
  });

  test('says that the log which the backup itself needs is missing', async () => {
    const { settings, repository } = copyRepository();
    for (const file of globSync(join(repository, 'archive/*/*/*/*'))) rmSync(file);
    await expect(drillOn(settings)).rejects.toThrow(/^Nothing can be restored from \S+F: the log/);
  });

  test('refuses a moment before the first backup, and names that backup', async () => {
    const target = new Date(Date.now() - DAY_MS);
    await expect(drillOn(archived.settings, { target })).rejects.toThrow(/the first backup that is kept ended at 20/);
  });

  test('says that the log ends before the moment that was asked for', async () => {
    const target = new Date(Date.now() + DAY_MS);
    await expect(drillOn(archived.settings, { target })).rejects.toThrow(/^The log ends before /);
  });

  test.for([
    [
      'with another pass phrase',
      '[global]',
      '[global]\nrepo1-cipher-type=aes-256-cbc\nrepo1-cipher-pass=wrong',
      /cipher-pass/,
    ],
    ['in an empty repository', /^repo1-path.*/m, 'repo1-path=/var/tmp/none', /^There is no backup of tardigrade/],
  ] as const)('says that there is nothing to restore %s', async ([, replaced, line, says]) => {
    const { settings } = copyRepository();
    const content = readFileSync(settings, 'utf8');
    writeFileSync(settings, content.replace(replaced, line));
    await expect(drillOn(settings)).rejects.toThrow(says);
  });

  test('refuses the backup of another cluster', async () => {
    const other = newFolder();
    onTestFinished(() => rmSync(other, { recursive: true, force: true }));
    const secrets = loadSecrets(other);
    const { stop, dataFolder } = await createPrimary({
      folder: other,
      secrets,
      port: await freePort(),
      durable: false,
    });
    await stop();
    await expect(drillOn(archived.settings, { dataFolder, shared: [folder, other] })).rejects.toThrow(
      /is a backup of another cluster/,
    );
    await expect(drillOn(archived.settings, { dataFolder: archived.dataFolder })).resolves.toBeDefined();
  });

  test('refuses to fill the disk', async () => {
    const backup = await chooseBackup(archived.pgbackrest);
    await expect(requireRoom(folder, { ...backup, databaseBytes: 2 ** 52 })).rejects.toThrow(/has \d+ MB free, and/);
  });

  test('is not led away by what the primary was told, and leaves its tablespaces alone', async () => {
    const tablespace = join(folder, 'tablespace');
    mkdirSync(tablespace, { mode: 0o700 });
    handOver(tablespace, chooseAccount());
    await primary.query(`create tablespace elsewhere location '${tablespace}'`);
    await primary.query('create table in_tablespace tablespace elsewhere as select 1 as number');
    for (const [name, value] of Object.entries({ listen_addresses: '*', port: 1, ssl: 'on', ssl_cert_file: '/none' }))
      await primary.query(`alter system set ${name} = '${value}'`);
    await archived.pgbackrest.run('backup', '--type=incr');
    let place: unknown;
    const report = await drillOn(archived.settings, {
      ask: async (client) => {
        await client.query('insert into in_tablespace values (2)');
        place = (
          await client.query('select pg_tablespace_location(oid) as place from pg_tablespace where spcname = $1', [
            'elsewhere',
          ])
        ).rows[0].place;
      },
    });
    expect([report.backup.type, isSound(report)]).toEqual(['incr', true]);
    expect(place).toMatch(/\/tablespaces\//);
    expect((await primary.query('select number from in_tablespace')).rows).toEqual([{ number: 1 }]);
  });

  // The last one: every later backup has the damage too.
  test('refuses a backup of pages that were damaged in the database', async () => {
    await primary.query('create table damaged as select generate_series(1, 5000) as number');
    await primary.query('checkpoint');
    const { rows } = await primary.query<{ file: string }>("select pg_relation_filepath('damaged') as file");
    damage(join(archived.dataFolder, rows[0]?.file ?? ''));
    await archived.pgbackrest.run('backup', '--type=incr');
    await expect(drillOn(archived.settings)).rejects.toThrow(/pages of the database were damaged already/);
  });

  test.for(['SIGTERM', 'SIGHUP'] as const)('that %s stops leaves no process and no file', async (signal) => {
    const place = newFolder();
    onTestFinished(() => rmSync(place, { recursive: true, force: true }));
    const child = spawn(process.execPath, [
      'scripts/restore-drill.ts',
      '--scale=0.02',
      '--seconds=600',
      `--folder=${place}`,
    ]);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (text) => String(text).includes('a full backup') && resolve());
      ended.then((code) => reject(new Error(`it ended with ${code}`)));
    });
    child.kill(signal);
    expect(await ended).toBe(130);
    expect(readdirSync(place)).toEqual([]);
    expect(processesWith(place)).toEqual([]);
  });

  async function writeAndArchive(number: number): Promise<string> {
    await primary.query('insert into rehearsed_writes values ($1)', [number]);
    const { rows } = await primary.query('select pg_walfile_name(pg_current_wal_lsn()) as name, pg_switch_wal()');
    const archivedUpTo = async () =>
      (await primary.query('select last_archived_wal as name from pg_stat_archiver')).rows[0].name;
    await until('it is archived', async () => (await archivedUpTo()) === rows[0].name);
    return rows[0].name;
  }

  /** pgBackRest's settings with a repository of their own, for a test that damages it. */
  function copyRepository() {
    const copy = newFolder();
    onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
    const repository = join(copy, 'repository');
    cpSync(join(folder, 'repository'), repository, { recursive: true });
    const settings = join(copy, 'pgbackrest.conf');
    const content = readFileSync(archived.settings, 'utf8').replace(join(folder, 'repository'), repository);
    // Otherwise pgBackRest waits 15 seconds and tries again, twice.
    writeFileSync(settings, content.replace('[global]', '[global]\njob-retry=0'));
    return { settings, repository };
  }

  async function drillOn(settings: string, options: Partial<DrillOptions> = {}) {
    const place = newFolder();
    onTestFinished(() => {
      const left = readdirSync(place).filter((name) => !['logs', 'run', 'lock'].includes(name));
      rmSync(place, { recursive: true, force: true });
      expect([left.filter((name) => !name.startsWith('restored.')), processesWith(place)]).toEqual([[], []]);
    });
    return drill({
      tools,
      pgbackrest: openPgBackRest(tools, settings, STANZA, [folder, place]),
      folder: place,
      port: await choosePort('primary', 'any'),
      database: DATABASE,
      user: ADMIN_ROLE,
      shared: [folder, place],
      stopped: new AbortController().signal,
      ...options,
    });
  }
});

function newFolder(): string {
  const folder = mkdtempSync('/var/tmp/drill-');
  handOver(folder, chooseAccount());
  return folder;
}

function found(repository: string, pattern: string): string {
  const [file] = globSync(join(repository, pattern));
  if (file === undefined) throw new Error(`no ${pattern} in ${repository}`);
  return file;
}

function damage(file: string): void {
  const content = readFileSync(file);
  content.fill(0, content.length >> 1, (content.length >> 1) + 64);
  writeFileSync(file, content);
}

function processesWith(folder: string): string[] {
  return globSync('/proc/[0-9]*/cmdline')
    .map((file) => {
      try {
        return readFileSync(file, 'utf8');
      } catch {
        return ''; // It has ended meanwhile.
      }
    })
    .filter((line) => line.includes(folder));
}
