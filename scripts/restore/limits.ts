/** Every wait of the restore drill. */

/** A full backup or restore of the largest database that a small machine holds, over a slow line. */
export const PGBACKREST_MS = 3_600_000;
export const VERSION_MS = 5_000;
/** Room that a drill needs beside the database: the log being replayed (max_wal_size), and what it adds to the rows. */
export const REPLAY_BYTES = 512 * 1024 * 1024;
/** Reading back the log since the backup. */
export const RECOVERY_MS = 3_600_000;
export const SERVER_READY_MS = 60_000;
export const SERVER_STOP_MS = 20_000;
export const POLL_MS = 50;
/** pgBackRest keeps this many full backups, and the log that they need. */
export const FULL_BACKUPS_KEPT = 2;
