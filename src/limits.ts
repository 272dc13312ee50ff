/**
 * Every ceiling of the product on one screen: the unit is in the name, the reason beside the number.
 * A limit that is not here does not exist; code that waits, queues, buffers, retries or lists takes its bound from here.
 */

const KB = 1024;
const MB = 1024 * KB;
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

// The machine
export const NANO_BYTES = 512 * MB; // an AWS t4g.nano; assumed when no container limit is set, so that a laptop behaves like production
export const HEAP_SHARE = 0.4; // of the container: the rest is node itself (~60 MB), buffers, and room to spare
export const OLD_SPACE_MB_MIN = 64; // below this fastify, pg and bullmq do not start reliably
export const SEMI_SPACE_MB = 16; // V8 picks 1 to 8 MB in a nano and then spends a third of its time in scavenges
export const SEMI_SPACE_SMALL_MB = 8; // for containers under 384 MB, where three semi-spaces of 16 MB would crowd out the old space
export const SEMI_SPACE_SMALL_BELOW_BYTES = 384 * MB;

// Life of a process
export const STOP_MS = 10 * SECOND_MS; // everything is closed by then, or the process exits with 1; below every platform's kill
export const DRAIN_MS = 5 * SECOND_MS; // of which: for requests, jobs and answers in flight
export const START_MS = 30 * SECOND_MS; // for the database and Redis to answer at start
export const HEALTH_CHECK_MS = 2 * SECOND_MS; // one readiness check; slower counts as failed
export const HEALTH_CACHE_MS = 1 * SECOND_MS; // probes within this time share one check, so probes cannot exhaust a pool
export const REPORT_EVERY_MS = 2 * SECOND_MS; // each process tells the operations page how it is
export const REPORT_TTL_SECONDS = 10; // a process that says nothing for so long is gone
export const REPORTED_PROCESSES_MAX = 64;

// Database
export const POOL_PRIMARY = { api: 5, mailer: 4, chat: 5, all: 8, migrate: 1 } as const; // small: on 2 cores more connections only wait inside PostgreSQL
export const POOL_REPLICA = { api: 5, mailer: 0, chat: 0, all: 5, migrate: 0 } as const; // one of each watches how far the replica is; 0: never reads there
export const CONNECTIONS_RESERVED = 8; // for migrations, backups, psql and the replica
export const POOL_ACQUIRE_MS = 2 * SECOND_MS; // a request that cannot get a connection by then is told to come back
export const POOL_WAITING_MAX = 200; // a longer line means that the answer would come too late anyway
export const STATEMENT_MS = {
  api: 8 * SECOND_MS, // below REQUEST_MS: the database gives up before the client does
  mailer: 30 * SECOND_MS, // nobody waits for it; a step of retention or of a job may take its time
  chat: 5 * SECOND_MS, // somebody types
  all: 8 * SECOND_MS, // the api's: it answers people
} as const;
export const QUERY_ANSWER_MS = 35 * SECOND_MS; // above every STATEMENT_MS: a server that is silent for longer is gone, not slow
export const LOCK_MS = 3 * SECOND_MS; // below every STATEMENT_MS: a waiter says which lock it waited for
export const IDLE_IN_TRANSACTION_MS = 10 * SECOND_MS; // a forgotten BEGIN must not hold back vacuum
export const CONNECTION_LIFETIME_SECONDS = 30 * 60; // so that a moved or restarted server is found again
export const PREPARED_STATEMENTS_MAX = 500; // distinct texts per connection; past it, statements go unnamed
export const TRANSACTION_TRIES_MAX = 5; // deadlocks and serialisation failures; then the caller hears about it
export const TRANSACTION_RETRY_MS = { base: 10, max: 500 } as const; // exponential, full jitter
export const REPLICA_POLL_MS = 250; // how often the replica's position is looked at
export const REPLICA_WAIT_MS = 20; // a read of one's own write waits so long for the replica, then goes to the primary
export const REPLICA_CATCHES_UP_MS = 1 * SECOND_MS; // one that is further behind will not be there within REPLICA_WAIT_MS: nobody waits
export const REPLICA_WAIT_STEP_MS = 2; // between two looks of those who wait; they all share one
export const REPLICA_ANSWER_MS = 1 * SECOND_MS; // a look that takes longer: the replica is gone, and what runs there goes to the primary
export const CONNECTIONS_FOR_WRITES = 2; // of POOL_PRIMARY: kept free from reads that come because the replica cannot answer
export const FALLBACK_READS_WAITING_MAX = 100; // about POOL_ACQUIRE_MS of short reads; the next one is told to come back
export const LAST_WRITES_KEPT = 10_000; // users whose last write each api process remembers
export const REPLICA_LAG_MAX_MS = 60 * SECOND_MS; // staler than this, the replica is left out
export const REPLICA_RETRY_MS = 1 * SECOND_MS; // an unreachable replica is tried again after so long
export const MIGRATION_LOCK_MS = 1 * SECOND_MS; // below POOL_ACQUIRE_MS: who waits behind a migration still gets an answer
export const MIGRATION_LOCK_TRIES_MAX = 10; // about two minutes of waits; then somebody must look who holds the table
export const MIGRATION_LOCK_RETRY_MS = { base: 1 * SECOND_MS, max: 20 * SECOND_MS } as const; // traffic's turn in between
export const MIGRATION_BUILD_LOCK_MS = 10 * MINUTE_MS; // an index built concurrently waits for old transactions, and nobody for it
export const MIGRATION_TURN_MS = 60 * MINUTE_MS; // for another process that migrates: an index may take its time
export const MIGRATION_TURN_POLL_MS = 200;
export const PAGE_ROWS_DEFAULT = 50;
export const PAGE_ROWS_MAX = 200;
export const CURSOR_CHARS_MAX = 2_048; // a cursor names its filter and its place: holds the longest search, and what it found, in any script
export const EXPORT_PAGE_ROWS = 200; // rows held at once by a streaming export, each with what belongs to it; bench:patterns streaming-export: grows by 53 MB at 1,000, 36 at 250, 28 at 100
export const EXPORT_MS = 30 * MINUTE_MS;
export const EXPORTS_AT_ONCE_MAX = 4; // per process

// HTTP
export const BODY_BYTES_MAX = 128 * KB;
export const REQUEST_MS = 10 * SECOND_MS;
export const UPLOAD_MS = 10 * MINUTE_MS; // a file over a slow line
export const HEADERS_MS = 10 * SECOND_MS;
export const KEEP_ALIVE_MS = 72 * SECOND_MS; // above the 60 s of the usual balancers, or they send into closed connections
export const HTTP_CONNECTIONS_MAX = 2_000;
export const REQUESTS_IN_FLIGHT_MAX = 200; // more than this at once cannot be answered in time by 2 vCPU
export const RETRY_AFTER_SECONDS = 2; // said to whoever is refused; clients add their own jitter
export const PASSWORD_CHARS = { min: 10, max: 200 } as const;
export const PASSWORD_HASHES_AT_ONCE_MAX = 2; // 19 MiB each (argon2id)
export const PASSWORD_HASHES_WAITING_MAX = 20; // about 1 s of work; the next one is told to come back
export const REQUESTS_PER_MINUTE_MAX = 6_000; // of one user, unless REQUESTS_PER_MINUTE says otherwise: a script in a loop must not have the api for itself
export const SIGN_INS_PER_MINUTE_MAX = 10; // per account and address
export const ETAG_CHARS_MAX = 200; // any tag that a program might send; ours are a quoted number
export const RATE_LIMIT_KEYS_MAX = 10_000;
export const SESSION_MS = 14 * DAY_MS;
export const SESSION_CACHE_MS = 5 * SECOND_MS; // a session revoked elsewhere is honoured at most so long
export const SESSION_CACHE_ENTRIES_MAX = 5_000;

// Redis and queues
export const REDIS_COMMAND_MS = 2 * SECOND_MS;
export const QUEUE_CLOSE_MS = 2 * SECOND_MS; // for BullMQ's connections to close, after our own work has ended
export const JOB_LOCK_MS = 20 * SECOND_MS; // a job whose process died is taken up again after this
export const JOB_STALLED_CHECK_MS = 10 * SECOND_MS;
export const JOB_STALLED_MAX = 100; // a job survives many crashes: PostgreSQL, not the job, is the record
export const JOBS_AT_ONCE = 4; // jobs of one queue that one process advances side by side
export const JOB_EVENTS_KEPT = 100;
export const OUTBOX_EVERY_MS = 500;
export const OUTBOX_BATCH_ROWS = 100;
export const OUTBOX_RETRY_MS = { base: 1 * SECOND_MS, max: 10 * MINUTE_MS } as const; // of an event whose handler failed
export const OUTBOX_REPORT_EVERY_MS = 1 * MINUTE_MS; // how often topics without a handler are named in the log
export const RETENTION_EVERY_MS = 60 * MINUTE_MS;
export const RETENTION_STEP_ROWS = 1_000; // deleted per statement, so that no lock is held for long

// Mail
export const MAILER_NICE = 10; // of 19: yields to whoever answers a person on the same machine; between containers the cpu_shares of docker-compose.yml do
export const MAILS_IN_FLIGHT_MAX = 20; // also the most that a crash can send twice
export const SMTP_MS = 8 * SECOND_MS; // connection, greeting and each reply
export const SMTP_CONNECTIONS_MAX = 5;

// WebSockets
export const SOCKETS_MAX = 10_000; // per process
export const SOCKET_FRAME_BYTES_MAX = 16 * KB;
export const SOCKET_FRAGMENTS_MAX = 16;
export const SOCKET_BUFFERED_CHUNKS_MAX = 64;
export const SOCKET_BUFFER_BYTES_MAX = 512 * KB; // a client that does not read is cut off at this much unsent
export const SOCKET_HELLO_MS = 10 * SECOND_MS; // a socket that does not say who it is
export const SOCKET_PING_MS = 30 * SECOND_MS; // two missed answers and the socket is gone
export const SOCKET_MESSAGES_PER_10_SECONDS_MAX = 50;
export const SOCKET_WORK_WAITING_MAX = 16; // messages of one socket that wait for the one before

// Names and lists
export const NAME_CHARS_MAX = 120;
export const EMAIL_CHARS_MAX = 254; // RFC 5321
export const RETENTION_DAYS = 400; // what a module keeps of people's data at most

/** The relations that the numbers above must keep; said by name at start when one is broken. */
export const RELATIONS: readonly [string, boolean][] = [
  ['LOCK_MS < STATEMENT_MS', Object.values(STATEMENT_MS).every((ms) => LOCK_MS < ms)],
  ['STATEMENT_MS.api < REQUEST_MS', STATEMENT_MS.api < REQUEST_MS],
  ['STATEMENT_MS.all < REQUEST_MS', STATEMENT_MS.all < REQUEST_MS],
  ['STATEMENT_MS < QUERY_ANSWER_MS', Object.values(STATEMENT_MS).every((ms) => ms < QUERY_ANSWER_MS)],
  ['POOL_ACQUIRE_MS < REQUEST_MS', POOL_ACQUIRE_MS < REQUEST_MS],
  ['CONNECTIONS_FOR_WRITES < POOL_PRIMARY', Math.min(POOL_PRIMARY.api, POOL_PRIMARY.all) > CONNECTIONS_FOR_WRITES],
  ['DRAIN_MS < STOP_MS', DRAIN_MS < STOP_MS],
  ['SMTP_MS < STOP_MS', SMTP_MS < STOP_MS],
  ['MIGRATION_LOCK_MS < POOL_ACQUIRE_MS', MIGRATION_LOCK_MS < POOL_ACQUIRE_MS],
  ['PAGE_ROWS_DEFAULT <= PAGE_ROWS_MAX', PAGE_ROWS_DEFAULT <= PAGE_ROWS_MAX],
  ['REPORT_EVERY_MS < REPORT_TTL_SECONDS', REPORT_EVERY_MS < REPORT_TTL_SECONDS * SECOND_MS],
];
