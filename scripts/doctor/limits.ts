/** The doctor's limits and thresholds. The limits of the product itself are in src/limits.ts. */

const KB = 1024;
const MB = 1024 * KB;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

// How much the doctor may ask of a server that may be in trouble
export const CONNECT_MS = 5_000;
export const STATEMENT_MS = 5_000; // per query; enough for a catalog of many thousand tables
export const LOCK_MS = 500; // it does not wait for locks: a table that is being rebuilt is not examined
export const ANSWER_MS = 8_000; // above STATEMENT_MS: a server that does not even time out is down
export const LIST_ROWS = 5; // the worst of each kind; the next run shows the next ones
export const CANDIDATE_ROWS = 50; // unused on the primary, then checked on the replica

// Memory
export const CACHE_SHARE = 0.5; // of the box: what is left for caching data after connections, the server itself and the kernel
export const HIT_SHARE_MIN = 0.9; // of the pages that queries asked for
export const HIT_PAGES_MIN = 10_000; // requested; with fewer, the share means nothing
export const SHARED_BUFFERS_SHARE_MAX = 0.4; // of the box: most of its pages are in the page cache as well
export const CONNECTION_BYTES = 2 * MB; // private memory of a pooled connection: 1.5 to 2.1 MB (Pss_Anon, the workers of npm start, idle)
export const SERVER_SHARE_MAX = 0.75; // of the box: above it the worst case leaves the kernel no memory to cache data in
export const SMALL_BOX_BYTES = 1024 * MB; // up to here parallel workers and JIT cost more than they gain
export const PROCESS_SHARE_MAX = 0.8; // of the box: a process that uses more of it is close to being killed

// Connections
export const CONNECTIONS_SHARE_MAX = 0.8; // of those allowed, in use when the doctor runs

// Tables and indexes
export const SCANNED_ROWS_MIN = 10_000; // read by an average sequential scan; with fewer a scan may be the best plan
export const SCANS_MIN = 20; // fewer can be a dump, a migration or a person
export const TABLE_BYTES_MIN = MB; // below it a missing index hardly matters
export const INDEX_BYTES_MIN = MB; // below it an unused index costs little
export const STATISTICS_YOUNG_MS = 7 * DAY_MS; // if they are younger, a weekly job may not have run yet
export const DEAD_ROWS_MIN = 10_000;
export const DEAD_SHARE_MAX = 0.2; // autovacuum's own default

export const SEQUENCE_USED_SHARE_MAX = 0.7; // of the ids that a column can hold: to widen it takes weeks of planning
export const SEQUENCE_FULL_SHARE = 0.9;
export const TEMPORARY_BYTES_PER_DAY_MAX = 1024 * MB; // written and read again, on a disk whose credits others need

// Transactions
export const BLOCKED_MS_MAX = 3_000; // LOCK_MS of the product: its own statements have given up by then
export const TRANSACTION_MS_MAX = 5 * MINUTE_MS; // a longer one keeps vacuum from removing dead rows
export const XID_AGE_MAX = 1_000_000_000; // half way to where PostgreSQL refuses every write (about 2.1 billion)
export const FREEZE_OVERDUE_FACTOR = 1.5; // times autovacuum_freeze_max_age: a forced vacuum should have finished long before

// Replication
export const SLOT_BYTES_MIN = 32 * MB; // kept for an absent reader: less is normal during a restart
export const LAG_BYTES_MAX = 16 * MB; // one WAL segment: more than a replica that keeps up ever lags

// Redis
export const REDIS_USED_SHARE_MAX = 0.8; // of maxmemory
export const REDIS_FULL_SHARE = 0.95; // of maxmemory: the next burst of jobs will be refused
export const REDIS_BOX_SHARE_MAX = 0.6; // of the box: rewriting the append-only file forks, and copy-on-write can double the memory that is touched
