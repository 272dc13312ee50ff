/** Every wait and every size of the embedded stack. The ceilings of the product itself are in src/limits.ts. */

/** How often a wait looks again: short beside the shortest start, long beside the cost of one look. */
export const POLL_MS = 20;

/** A cold disk and a crash recovery of `max_wal_size` both fit. */
export const POSTGRES_READY_MS = 60_000;

/** A healthy replica streams well within a second; after this it is rebuilt, which is quicker than any longer hope. */
export const REPLICA_STREAMING_MS = 8_000;

/** Reading back an append-only file that is full (`maxmemory`) takes a few seconds on a slow disk. */
export const REDIS_READY_MS = 20_000;

/** PgBouncer keeps nothing: it only opens a port. */
export const PGBOUNCER_READY_MS = 10_000;

/** The mail catcher only opens two ports and reads its index. */
export const MAIL_READY_MS = 10_000;

/** Package lists and one small package over a slow line. */
export const APT_MS = 120_000;

/** A worker that is not ready by then is missing something that it needs. */
export const WORKER_READY_MS = 20_000;

/** Longer than the workers' own drain, so that a clean stop is never cut short. */
export const WORKER_STOP_MS = 10_000;

/** PostgreSQL's fast shutdown writes a checkpoint; then the immediate one needs no time at all. */
export const POSTGRES_FAST_STOP_MS = 10_000;
export const POSTGRES_IMMEDIATE_STOP_MS = 3_000;

/** Redis flushes its append-only file; the mail catcher closes its sockets. */
export const SERVER_STOP_MS = 5_000;

/** After SIGKILL only the kernel is left to wait for. */
export const KILL_MS = 2_000;

/** A worker that keeps dying is a fault to read about, not one to hide behind restarts. */
export const WORKER_RESTARTS_MAX = 10;
export const WORKER_RESTART_FIRST_MS = 250;
export const WORKER_RESTART_DELAY_MS_MAX = 10_000;

/** A worker that lived this long has earned a fresh count of restarts. */
export const WORKER_STEADY_MS = 60_000;

/** One log file on disk. Over it, the file starts again from nothing: a laptop's disk is not a log archive. */
export const LOG_BYTES_MAX = 10 * 1024 * 1024;
export const LOG_CHECK_MS = 30_000;

/** What an error shows of a child's log. */
export const LOG_TAIL_LINES = 15;
export const LOG_TAIL_BYTES = 8 * 1024;

/** The mail catcher's memory: index entries are a few hundred bytes each; three full Mondays fit. */
export const MAILS_MAX = 100_000;
export const MAILS_FORGOTTEN_AT_ONCE = 1_000;

/** The mail catcher's disk: MAIL_SEGMENTS_MAX files of about MAIL_SEGMENT_BYTES each, the oldest dropped whole. */
export const MAIL_SEGMENT_BYTES = 32 * 1024 * 1024;
export const MAIL_SEGMENTS_MAX = 16;

/** One mail. The product's are a few kilobytes; this is a usual limit of real servers. */
export const MAIL_BYTES_MAX = 10 * 1024 * 1024;
export const MAIL_CLIENTS_MAX = 200;
export const MAIL_RECIPIENTS_MAX = 100;
export const MAIL_PAGE_ROWS = 50;
export const MAIL_PAGE_ROWS_MAX = 500;

/** Recipients that were told "try later" once and are let in the next time. */
export const MAIL_DEFERRED_MAX = 10_000;

/** The bundler needs well under a second; a throttled vCPU may take many times that. */
export const BUILD_MS = 60_000;

/** Migrations of a template run on an almost empty database. */
export const MIGRATE_MS = 60_000;

/** npm passes Ctrl-C on although the terminal has sent it to all already: within this, two are one. */
export const SAME_SIGNAL_MS = 500;
