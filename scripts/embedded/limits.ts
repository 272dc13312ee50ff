/** Every timeout and size limit of the embedded stack. The limits of the product itself are in src/limits.ts. */

/** The polling interval: short compared with the fastest start, long compared with the cost of one poll. */
export const POLL_MS = 20;

/** Enough for a cold disk or a crash recovery of `max_wal_size`. */
export const POSTGRES_READY_MS = 60_000;

/** A healthy replica streams well within a second; after this it is rebuilt, which is faster than waiting longer. */
export const REPLICA_STREAMING_MS = 8_000;

/** Reading back an append-only file that is full (`maxmemory`) takes a few seconds on a slow disk. */
export const REDIS_READY_MS = 20_000;

/** PgBouncer has nothing to load: it only opens a port. */
export const PGBOUNCER_READY_MS = 10_000;

/** The mail catcher opens two ports and reads its index, but Node takes 9 s to load it on a machine that is busy. */
export const MAIL_READY_MS = 60_000;

/** Package lists, and a PostgreSQL with everything that it stands on, over a slow connection. */
export const APT_MS = 300_000;

/**
 * If a worker is not ready by then, something that it needs is missing; one that ends is noticed at once. Ready within 2 s
 * alone, and not within 20 s on two cores that ten programs wanted.
 */
export const WORKER_READY_MS = 60_000;

/** Longer than the workers' LAME_DUCK_MS and STOP_MS together, so that a clean stop is never interrupted. */
export const WORKER_STOP_MS = 12_000;

/** PostgreSQL's fast shutdown writes a checkpoint; the immediate one after it takes almost no time. */
export const POSTGRES_FAST_STOP_MS = 10_000;
export const POSTGRES_IMMEDIATE_STOP_MS = 3_000;

/** Redis flushes its append-only file; the mail catcher closes its sockets. */
export const SERVER_STOP_MS = 5_000;

/** After SIGKILL only the kernel has work left. */
export const KILL_MS = 2_000;

/** A process that keeps dying is a problem to report, not to hide behind restarts. */
export const RESTARTS_MAX = 10;
export const RESTART_FIRST_MS = 250;
export const RESTART_DELAY_MS_MAX = 10_000;

/** The restart count of a process that has run for this long is reset. */
export const STEADY_MS = 60_000;

/** How often it is asked which cgroup a worker is in, and who else: a wrapper moves it there within milliseconds. */
export const GROUP_EVERY_MS = 250;

/** The size of one log file. Beyond it the file is truncated: a laptop's disk is not a log archive. */
export const LOG_BYTES_MAX = 10 * 1024 * 1024;
export const LOG_CHECK_MS = 30_000;

/** How much of a child's log an error shows. */
export const LOG_TAIL_LINES = 15;
export const LOG_TAIL_BYTES = 8 * 1024;

/** Limits the mail catcher's memory: index entries are a few hundred bytes each. Enough for three full Mondays. */
export const MAILS_MAX = 100_000;
export const MAILS_FORGOTTEN_AT_ONCE = 1_000;

/** Limits the mail catcher's disk: MAIL_SEGMENTS_MAX files of about MAIL_SEGMENT_BYTES; the oldest file is deleted. */
export const MAIL_SEGMENT_BYTES = 32 * 1024 * 1024;
export const MAIL_SEGMENTS_MAX = 16;

/** Per mail. The product's are a few kilobytes; this is a common limit of real servers. */
export const MAIL_BYTES_MAX = 10 * 1024 * 1024;
export const MAIL_CLIENTS_MAX = 200;
export const MAIL_RECIPIENTS_MAX = 100;
export const MAIL_PAGE_ROWS = 50;
export const MAIL_PAGE_ROWS_MAX = 500;

/** From the end of a mail to `slow-…@` until it is accepted. */
export const MAIL_SLOW_MS = 60_000;

/** A sender that waits for its answer when the catcher stops waits no longer than this. */
export const MAIL_CLOSE_MS = 200;

/** Recipients that were deferred once and are accepted the next time. */
export const MAIL_DEFERRED_MAX = 10_000;

/** The bundler needs well under a second; a throttled vCPU can take many times that. */
export const BUILD_MS = 60_000;

/** Migrations run on an almost empty database here. */
export const MIGRATE_MS = 60_000;

/**
 * npm forwards Ctrl-C although the terminal has already sent it to all processes: two within this time count as one.
 */
export const SAME_SIGNAL_MS = 500;
