import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { chooseAccount, handOver, runAs } from '../../../scripts/embedded/postgres-account.ts';
import { type OldServer, oldPrograms, rowsOf, startOldServer } from '../../old-postgres.ts';

const STARTS = /^the replica starts$/m;

/** What docker compose makes of the file, with the primary's address and without the server at the end. */
function replicaScript(): string {
  const { configs } = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
    configs: Record<string, { content: string }>;
  };
  return (configs['replica-start']?.content ?? '')
    .replaceAll('$$', '$')
    .replaceAll('--host=primary', '--host=127.0.0.1')
    .replace(/^exec postgres .*$/m, 'echo the replica starts');
}

// The script needs psql and pg_basebackup, which npm's PostgreSQL does not have; what it does is the same in any version.
describe.skipIf(oldPrograms() === undefined)("the replica's start in docker-compose.yml", () => {
  const bin = oldPrograms() as string;
  const account = chooseAccount();
  let primary: OldServer;
  let home: string;
  beforeAll(async () => {
    primary = await startOldServer(bin, {
      initdb: ['--wal-segsize=1'],
      settings: { max_slot_wal_keep_size: '1MB', max_wal_size: '2MB', min_wal_size: '2MB' },
    });
    await rowsOf(primary.url, 'create role replicator login replication');
    home = mkdtempSync('/var/tmp/tardigrade-compose-replica-');
    handOver(home, account);
  });
  afterAll(async () => {
    await primary?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  const data = () => path.join(home, 'data');
  const marker = () => path.join(data(), 'marker');
  const slot = async () =>
    (await rowsOf<{ wal_status: string }>(primary.url, 'select wal_status from pg_replication_slots'))[0]?.wal_status;
  function start() {
    const shell = runAs(account, 'bash', ['-c', replicaScript()]);
    const env = { PATH: `${bin}:${process.env['PATH']}`, PGDATA: data(), PGPORT: String(primary.port), HOME: home };
    const { stdout, stderr } = spawnSync(shell.command, shell.args, { ...shell, env, cwd: '/', encoding: 'utf8' });
    return { stdout, stderr };
  }

  test('makes a base backup, and keeps it as long as the primary has what it lacks', async () => {
    expect(start().stdout).toMatch(STARTS);
    expect(existsSync(path.join(data(), 'standby.signal'))).toBe(true);
    writeFileSync(marker(), '');
    expect(start()).toEqual({ stdout: 'the replica starts\n', stderr: '' });
    expect(existsSync(marker())).toBe(true);
  });

  test('after the primary has thrown away what it lacks, it is built anew, and says so', async () => {
    for (let segment = 0; segment < 12; segment++)
      await rowsOf(primary.url, "select pg_logical_emit_message(false, '', 'x'), pg_switch_wal()");
    await rowsOf(primary.url, 'checkpoint');
    expect(await slot()).toBe('lost');
    const { stdout, stderr } = start();
    expect(stderr).toContain('building it anew');
    expect(stdout).toMatch(STARTS);
    expect(existsSync(marker())).toBe(false);
    expect(await slot()).not.toBe('lost');
  });

  test('while the primary is away it starts as it is', async () => {
    writeFileSync(marker(), '');
    await primary.stop();
    expect(start().stdout).toMatch(STARTS);
    expect(existsSync(marker())).toBe(true);
  });
});
