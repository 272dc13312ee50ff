/** pgBackRest's settings for one database, and its commands. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { FULL_BACKUPS_KEPT, PGBACKREST_MS } from './limits.ts';
import type { Tools } from './tools.ts';

const run = promisify(execFile);
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

export const STANZA = 'tardigrade';

export type Repository =
  | { readonly kind: 'folder'; readonly folder: string }
  | {
      readonly kind: 's3';
      readonly endpoint: string;
      readonly port: number;
      readonly bucket: string;
      readonly path: string;
      readonly region: string;
      readonly key: string;
      readonly secret: string;
      /** False only for a certificate that nobody has signed, in tests. */
      readonly verifyTls: boolean;
    };

export interface SettingsOptions {
  readonly repository: Repository;
  /** For its logs, locks and the spool. */
  readonly folder: string;
  readonly dataFolder: string;
  readonly port: number;
  readonly socketFolder: string;
  readonly user: string;
}

/** The file that docs/backups.md shows, for a database on this machine. */
export function settingsFile({ repository, folder, dataFolder, port, socketFolder, user }: SettingsOptions): string {
  return `[global]
${repositoryLines(repository).join('\n')}
repo1-retention-full=${FULL_BACKUPS_KEPT}
repo1-bundle=y
compress-type=zst
start-fast=y
log-level-console=warn
log-level-file=off
lock-path=${folder}/lock
spool-path=${folder}/spool

[${STANZA}]
pg1-path=${dataFolder}
pg1-port=${port}
pg1-socket-path=${socketFolder}
pg1-user=${user}
`;
}

function repositoryLines(repository: Repository): string[] {
  if (repository.kind === 'folder') return ['repo1-type=posix', `repo1-path=${repository.folder}`];
  const { endpoint, port, bucket, path, region, key, secret, verifyTls } = repository;
  return [
    'repo1-type=s3',
    `repo1-path=${path}`,
    `repo1-s3-endpoint=${endpoint}`,
    `repo1-s3-bucket=${bucket}`,
    `repo1-s3-region=${region}`,
    `repo1-s3-key=${key}`,
    `repo1-s3-key-secret=${secret}`,
    'repo1-s3-uri-style=path',
    `repo1-storage-port=${port}`,
    `repo1-storage-verify-tls=${verifyTls ? 'y' : 'n'}`,
  ];
}

export interface PgBackRest {
  readonly settings: string;
  readonly stanza: string;
  /** @returns what it printed; throws with its own words */
  run(command: string, ...options: string[]): Promise<string>;
}

/** `shared`: folders that it needs to see. `stopped` ends it. */
export function openPgBackRest(
  tools: Tools,
  settings: string,
  stanza: string,
  shared: readonly string[],
  stopped?: AbortSignal,
): PgBackRest {
  return {
    settings,
    stanza,
    async run(command, ...options) {
      const all = [`--config=${settings}`, `--stanza=${stanza}`, ...options, command];
      const line = tools.command(tools.pgbackrest, all, shared);
      const bounds = { timeout: PGBACKREST_MS, maxBuffer: OUTPUT_BYTES_MAX, signal: stopped };
      try {
        const { stdout } = await run(line.command, line.args, bounds);
        return stdout;
      } catch (error) {
        const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
        throw new Error(`pgbackrest ${command} failed: ${`${stdout}${stderr}`.trim() || (error as Error).message}`);
      }
    },
  };
}

export interface BackupInfo {
  readonly label: string;
  readonly type: string;
  /** Of the database, and of what the repository keeps for it. */
  readonly databaseBytes: number;
  readonly repositoryBytes: number;
  readonly finishedAt: Date;
  /** pgBackRest found pages whose checksums are wrong when it read them. */
  readonly hasDamagedPages: boolean;
  /** Of the cluster that it was taken of. */
  readonly systemId: string;
  /** The last file of the log in the repository; null when it has none. */
  readonly lastSegment: string | null;
}

/** The last backup that ended before `target`. @throws when there is none */
export async function chooseBackup(pgbackrest: PgBackRest, target?: Date): Promise<BackupInfo> {
  const [stanza] = readInfo(await pgbackrest.run('info', '--output=json'));
  const first = stanza?.backup[0];
  if (stanza === undefined || first === undefined) throw new Error(whyNone(pgbackrest.stanza, stanza));
  const backup = stanza.backup.findLast(
    ({ timestamp }) => target === undefined || timestamp.stop * 1000 < target.getTime(),
  );
  if (backup === undefined)
    throw new Error(
      `Nothing can be restored to ${target?.toISOString()}: the first backup that is kept ended at ${new Date(first.timestamp.stop * 1000).toISOString()}.`,
    );
  const { label, type, info, timestamp, error, database } = backup;
  const ofItsCluster = <T extends { database: { id: number } }>(found: T) => found.database.id === database.id;
  return {
    label,
    type,
    databaseBytes: info.size,
    repositoryBytes: info.repository.size ?? info.repository.delta ?? 0,
    finishedAt: new Date(timestamp.stop * 1000),
    hasDamagedPages: error ?? false,
    systemId: stanza.db.find(({ id }) => id === database.id)?.['system-id'] ?? '',
    lastSegment:
      stanza.archive
        .filter(ofItsCluster)
        .map(({ max }) => max)
        .toSorted()
        .at(-1) ?? null,
  };
}

const UNREADABLE = 99;
const REASON_CHARACTERS_MAX = 200;

function whyNone(name: string, stanza: Stanza | undefined): string {
  const unreadable = stanza?.repo.find(({ status }) => status.code === UNREADABLE);
  if (unreadable === undefined)
    return `There is no backup of ${name}: ${stanza?.status.message ?? 'it is not in the repository'}.`;
  const reason = unreadable.status.message.split('\n', 1)[0]?.slice(0, REASON_CHARACTERS_MAX).replace(/:$/, '.');
  const advice = /FormatError|CryptoError/.test(unreadable.status.message)
    ? ' Is repo1-cipher-pass the right one?'
    : '';
  return `The backups of ${name} cannot be read: ${reason}${advice}`;
}

/**
 * The system identifier is a number of 64 bits, of which JSON.parse would lose the last digits. What was decrypted with
 * the wrong pass phrase is printed as it is, control characters included.
 */
function readInfo(json: string): Stanza[] {
  const valid = json.trim().replaceAll(/\p{Cc}/gu, (character) => (character === '\n' ? '\\n' : ' '));
  return JSON.parse(valid.replaceAll(/("system-id":)(\d+)/g, '$1"$2"')) as Stanza[];
}

interface Stanza {
  readonly status: { readonly message: string };
  readonly repo: readonly { readonly status: { readonly code: number; readonly message: string } }[];
  readonly db: readonly { readonly id: number; readonly 'system-id': string }[];
  readonly archive: readonly { readonly database: { readonly id: number }; readonly max: string | null }[];
  readonly backup: readonly {
    readonly label: string;
    readonly type: string;
    readonly error?: boolean;
    readonly database: { readonly id: number };
    readonly info: {
      readonly size: number;
      readonly repository: { readonly delta?: number; readonly size?: number };
    };
    readonly timestamp: { readonly stop: number };
  }[];
}
