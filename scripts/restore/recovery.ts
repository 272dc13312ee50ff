/**
 * What it is: how far a restored server got with the log.
 * What fails without it: PostgreSQL takes a file of the log that is missing or damaged for the end of the log, and starts
 *   without a word. Everything in the database agrees, and what was written after that file is gone.
 * How it works: the place where the replay stopped is compared with the last file that the repository had before.
 * What it costs: one query, after a restore.
 * Its bound: none of its own; the restore has RECOVERY_MS. Its proof: test/scripts/restore-faults.test.ts.
 */
import type pg from 'pg';
import type { BackupInfo } from './pgbackrest.ts';

export interface Recovery {
  /** The commit time of the last transaction that came back from the log; null when the backup was all there was. */
  readonly lastCommit: Date | null;
  /** In words, when it stopped before the end of the log. */
  readonly gap: string | undefined;
}

/** `toTheEnd`: no earlier moment was asked for. */
export async function askRecovery(
  client: pg.Client,
  { lastSegment }: Pick<BackupInfo, 'lastSegment'>,
  toTheEnd: boolean,
): Promise<Recovery> {
  const { rows } = await client.query<{ lastCommit: Date | null; stoppedAt: string; isBefore: boolean | null }>(
    `select pg_last_xact_replay_timestamp() as "lastCommit", pg_last_wal_replay_lsn() as "stoppedAt",
      pg_last_wal_replay_lsn() - '0/0' <= segment_number * pg_size_bytes(current_setting('wal_segment_size')) as "isBefore"
    from (values (1)) as one left join pg_split_walfile_name($1) on true`,
    [lastSegment],
  );
  const { lastCommit = null, stoppedAt = '', isBefore = null } = rows[0] ?? {};
  const gap =
    toTheEnd && isBefore
      ? `the log could be read up to ${stoppedAt} only, although the repository has it up to the file ${lastSegment}: a file between them is missing or damaged, and all that was written after it is lost`
      : undefined;
  return { lastCommit, gap };
}

/** What the last words of pgBackRest or PostgreSQL mean, with them. */
export function explainFailure(error: unknown, backup: BackupInfo, target: Date | undefined): unknown {
  const said = error instanceof Error ? error.message : String(error);
  const meaning = MEANINGS.find(({ words }) => words.test(said))?.means(backup, target);
  return meaning === undefined ? error : new Error(`${meaning}\n\n${said}`, { cause: error });
}

const MEANINGS: readonly { words: RegExp; means(backup: BackupInfo, target: Date | undefined): string }[] = [
  {
    words: /recovery ended before configured recovery target was reached/,
    means: (_, target) =>
      `The log ends before ${target?.toISOString()}: either nothing was committed from then on, or a file of the log is missing. Without --target everything comes back that there is.`,
  },
  {
    words:
      /WAL ends before end of online backup|could not locate required checkpoint record|requested recovery stop point is before/,
    means: ({ label }) =>
      `Nothing can be restored from ${label}: the log that was written while it was taken is missing or damaged.`,
  },
  {
    words: /pgbackrest restore failed.*(zst error|gz error|lz4 error|checksum|corrupt|missing file)/is,
    means: ({ label }) =>
      `Nothing can be restored from ${label}: a file of it is damaged or missing. pgbackrest verify --output=text names it; --target, before ${label} ended, restores an older backup.`,
  },
  { words: /No space left on device/, means: () => 'The disk is full: name a folder on a larger one with --folder=…' },
];
