/**
 * A base backup without pg_basebackup, which the npm package does not include: with PostgreSQL's low-level backup API.
 *
 * Between pg_backup_start and pg_backup_stop the files can be copied while they are written to; the label that
 * pg_backup_stop returns tells the copy where to start replaying to become consistent. The WAL for that comes through
 * streaming replication: the slot, created before the copy begins, retains it.
 */
import { chmod, copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from 'pg';
import { type Account, handOver } from './postgres-account.ts';

/** Folders whose content belongs to the running server, not to its data (the same list as pg_basebackup's). */
const LEFT_EMPTY = new Set([
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
]);
const LEFT_OUT = new Set(['postmaster.pid', 'postmaster.opts', 'postgresql.auto.conf.tmp', 'backup_label.old']);

/**
 * Copies a running primary's data directory to `to`, ready to start as a standby on `slot`.
 * `admin` is a superuser's connection to the primary; it must be the same one from start to stop.
 * The copy gets its final name only when it is complete.
 */
export async function copyAsStandby(admin: Client, from: string, to: string, slot: string, account: Account) {
  const partial = `${to}.partial`;
  await rm(partial, { recursive: true, force: true });
  await admin.query(
    'select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1 and not active',
    [slot],
  );
  await admin.query('select pg_create_physical_replication_slot($1, true)', [slot]);
  await admin.query("select pg_backup_start('replica', true)");
  await copyFolder(from, partial, account);
  const { rows } = await admin.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
  await writeOwn(path.join(partial, 'backup_label'), rows[0]?.labelfile ?? '', account);
  await writeOwn(path.join(partial, 'standby.signal'), '', account);
  await rm(to, { recursive: true, force: true });
  await rename(partial, to);
}

async function copyFolder(from: string, to: string, account: Account, top = true): Promise<void> {
  await mkdir(to, { mode: 0o700 });
  handOver(to, account);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (LEFT_OUT.has(entry.name) || entry.name.startsWith('pgsql_tmp')) continue;
    const source = path.join(from, entry.name);
    const target = path.join(to, entry.name);
    if (entry.isFile()) {
      await copyUnlessGone(source, target, account);
    } else if (top && LEFT_EMPTY.has(entry.name)) {
      await mkdir(target, { mode: 0o700 });
      handOver(target, account);
    } else if (entry.isDirectory()) {
      await copyFolder(source, target, account, false);
    }
  }
}

/** If a file has been dropped since the folder was read, replaying the WAL drops it too. */
async function copyUnlessGone(source: string, target: string, account: Account): Promise<void> {
  try {
    await copyFile(source, target);
    await chmod(target, 0o600);
    handOver(target, account);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function writeOwn(file: string, content: string, account: Account): Promise<void> {
  await writeFile(file, content, { mode: 0o600 });
  handOver(file, account);
}
