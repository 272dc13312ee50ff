/** What must be so before a drill writes anything. */
import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { readControlData } from './control-data.ts';
import { REPLAY_BYTES } from './limits.ts';
import type { BackupInfo } from './pgbackrest.ts';
import type { Tools } from './tools.ts';

/** A drill that fills the disk takes the running database with it. @throws with how much is missing */
export async function requireRoom(folder: string, { label, databaseBytes }: BackupInfo): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const [free, needed] = [bavail * bsize, databaseBytes + REPLAY_BYTES];
  if (free < needed)
    throw new Error(
      `The disk of ${folder} has ${megabytes(free)} free, and to restore ${label} needs ${megabytes(needed)}: ${megabytes(databaseBytes)} of database, and room for the log. Name a folder on a larger one with --folder=…`,
    );
}

/** @throws when the database had damaged pages already, of which a backup is a faithful copy */
export function requireWholePages({ label, hasDamagedPages }: BackupInfo): void {
  if (hasDamagedPages)
    throw new Error(
      `When ${label} was taken, pages of the database were damaged already: pgbackrest info --set=${label} names their files. Look after the database first; --target, before ${label} ended, restores an older backup.`,
    );
}

/**
 * A stanza that went on with the backups of a cluster that has been replaced restores well, and brings back the wrong
 * data. Where the cluster cannot be read (another machine, a lost disk) nothing is compared.
 *
 * @throws when `dataFolder` has another cluster than the backup
 */
export async function requireBackupOf(
  dataFolder: string,
  { label, systemId }: BackupInfo,
  tools: Tools,
  shared: readonly string[],
): Promise<void> {
  const said = await readControlData(tools, dataFolder, shared).catch(() => undefined);
  const own = said?.get('Database system identifier');
  if (own !== undefined && own !== systemId)
    throw new Error(
      `${label} is a backup of another cluster: its system identifier is ${systemId}, and that of ${dataFolder} is ${own}. Make a new stanza for this one.`,
    );
}

/** pg1-path of the stanza in pgBackRest's settings. */
export function dataFolderOf(settings: string, stanza: string): string | undefined {
  const section = readFileSync(settings, 'utf8')
    .split(/^\[/m)
    .find((text) => text.startsWith(`${stanza}]`));
  return section?.match(/^pg1-path *= *(\S+)/m)?.[1];
}

const megabytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MB`;
