/**
 * Every limit of the platform in one file: the unit is in the name, the reason next to the number.
 * A limit that is not here does not exist; code that waits, queues, buffers, retries or lists takes its bound from here.
 */

const KB = 1024;
const MB = 1024 * KB;
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

// The machine
export const NANO_BYTES = 512 * MB; // an AWS t4g.nano; assumed when no container limit is set, so that a laptop behaves like production
export const MEMORY_BYTES_MIN = 192 * MB; // api and all were killed at 128 and 160 MB when eight clients and two password hashes came at once, and not at 192
export const HEAP_SHARE = 0.4; // of the container: the rest is for Node itself (~60 MB), buffers and headroom
export const OLD_SPACE_MB_MIN = 64; // below this fastify, pg and bullmq do not start reliably
export const SEMI_SPACE_MB = 16; // V8 picks 1 to 8 MB in a nano and then spends a third of its time in scavenges
export const SEMI_SPACE_SMALL_MB = 8; // for containers under 384 MB, where three semi-spaces of 16 MB would crowd out the old space
export const SEMI_SPACE_SMALL_BELOW_BYTES = 384 * MB;

// Process lifecycle
export const LAME_DUCK_MS_DEFAULT = 500; // from SIGTERM until the doors close, unless LAME_DUCK_MS is set: long enough for a probe to see it, short enough for Ctrl-C
export const LAME_DUCK_MS_MAX = 20 * SECOND_MS; // a platform's kill timeout, usually 30 s, must cover this and STOP_MS
export const STOP_MS = 10 * SECOND_MS; // from then on; if not everything is closed by then, the process exits with 1
export const DRAIN_MS = 5 * SECOND_MS; // of STOP_MS, for requests, jobs and answers in flight
export const QUIET_MOMENT_MS = { min: 30, max: 500 } as const; // of STOP_MS: the door closes when no connection came for `min`; under a flood of them after `max`
export const UNUSED_CONNECTION_MS = 250; // of DRAIN_MS, for the first request on a connection that was opened just before the door closed
export const START_MS = 30 * SECOND_MS; // how long a process waits for the database and Redis at start
export const HEALTH_CHECK_MS = 2 * SECOND_MS; // one readiness check; slower counts as failed
export const HEALTH_CACHE_MS = 1 * SECOND_MS; // probes within this time share one check, so probes cannot exhaust a pool
export const TELEMETRY_SPANS_WAITING_MAX = 2_048; // about 2 MB; further ones are dropped, as when the collector is away
export const TELEMETRY_BATCH_SPANS_MAX = 512;
export const TELEMETRY_TEXT_CHARS_MAX = 2_000; // of a statement; longer ones are cut
export const TELEMETRY_EVERY_MS = 5 * SECOND_MS; // how often spans are sent
export const TELEMETRY_SEND_MS = 5 * SECOND_MS; // then a batch is lost: nobody waits for a collector, but for a stop
export const REPORT_EVERY_MS = 2 * SECOND_MS; // how often each process reports its state to the operations page
export const REPORT_TTL_SECONDS = 10; // a process that does not report for this long is gone
export const REPORTED_PROCESSES_MAX = 64;
export const LOOP_DELAY_KEPT_MS = 15 * SECOND_MS; // over which the worst event-loop delay is kept for the alerts, which look every 10 to 15 s
export const RECENT_MS = 5 * MINUTE_MS; // the window over which alerts look at the growth of a counter
export const RECENT_STEP_MS = 10 * SECOND_MS; // at most one value of a counter is kept for each
export const ALERT_OVER_MS = 2 * MINUTE_MS; // a condition that is gone for this long is over; shorter gaps are the same alert
export const LIVES_MAX = 200; // processes that are known to have lived, until one has noticed how each ended
export const OUT_OF_MEMORY_SHARE = 0.85; // of the limit in the last report before a death: then it was the kernel, unless the supervisor says something else; 459 of 512 MB were seen two seconds before one
export const DEATHS_KEPT = 200; // the last ones; their total is counted besides
export const LOG_STORM_EVERY_MS = 1 * SECOND_MS; // an error that repeats is logged once per this, with a count
export const LOG_STORM_KINDS_MAX = 16; // kinds of errors that are counted separately

// Database
export const POSTGRES_VERSION_MIN = 18_00_00; // as PostgreSQL numbers its versions; statements use what 18 brought (old and new in RETURNING)
export const POOL_PRIMARY = { api: 5, mailer: 4, chat: 5, all: 8, migrate: 1 } as const; // small: on 2 cores more connections would only wait inside PostgreSQL
export const POOL_REPLICA = { api: 5, mailer: 2, chat: 0, all: 5, migrate: 0 } as const; // one of each watches the replica's lag; 0: never reads from it
export const CONNECTIONS_RESERVED = 8; // for migrations, backups, psql and the replica; and for a while for a process beside the one that it replaces
export const CROWDED_MS = 12 * SECOND_MS; // for which a process that finds no room waits: the reports of those that have died are gone by then
export const CROWDED_AGAIN_MS = 500; // until it looks again
export const POOL_ACQUIRE_MS = 2 * SECOND_MS; // a request that cannot get a connection by then is told to try again
export const POOL_WAITING_MAX = 200; // in a longer queue the answer would come too late anyway
export const STATEMENT_MS = {
  api: 8 * SECOND_MS, // below REQUEST_MS: the database gives up before the client does
  mailer: 30 * SECOND_MS, // no user waits for it; a step of retention or of a job can take a while
  chat: 5 * SECOND_MS, // someone is waiting in the chat
  all: 8 * SECOND_MS, // the same as the api's, because it serves requests too
} as const;
export const QUERY_ANSWER_MS = 35 * SECOND_MS; // above every STATEMENT_MS: a server that is silent for longer is down, not slow
export const LOCK_MS = 3 * SECOND_MS; // below every STATEMENT_MS: the error then reports the lock, not a slow statement
export const IDLE_IN_TRANSACTION_MS = 10 * SECOND_MS; // a forgotten BEGIN must not hold back vacuum
export const CONNECTION_LIFETIME_SECONDS = 30 * 60; // so that connections move to a new server after a failover
export const STATEMENTS_PER_CONNECTION_MAX = 4; // reads under way on one connection to the replica
export const QUICK_STATEMENT_MS = 50; // a statement that takes longer is not sent behind another one, nor another one behind it
export const QUICK_RUNS_MIN = 3; // in a row, until a statement counts as quick (again)
export const SHARED_CONNECTION_MS = 1 * SECOND_MS; // then nothing more is sent behind, so that the connection comes back to the pool, which replaces old ones
export const PREPARED_STATEMENTS_MAX = 500; // distinct texts per connection; beyond it, statements stay unnamed
export const SCOPED_DATABASES_KEPT = 200; // organisations whose query builder is kept: a few KB each, which one request would be too much to pay for
export const TRANSACTION_TRIES_MAX = 8; // after deadlocks and serialisation failures; then the caller gets the error (bench:patterns deadlock-retry: with 5 tries 0 to 2 of 4,000 payments were lost, with 8 none in 4 runs)
export const TRANSACTION_RETRY_MS = { base: 10, max: 500 } as const; // exponential, full jitter
export const REPLICA_POLL_MS = 250; // how often the replica's position is polled
export const REPLICA_WAIT_MS = 20; // a read of the caller's own write waits this long for the replica, then goes to the primary
export const REPLICA_CATCHES_UP_MS = 1 * SECOND_MS; // a replica that is further behind will not catch up within REPLICA_WAIT_MS, so reads do not wait for it
export const REPLICA_WAIT_STEP_MS = 2; // between two polls for waiting reads; they all share one poll
export const REPLICA_ANSWER_MS = 1 * SECOND_MS; // if a poll takes longer, the replica is down, and its reads go to the primary
export const CONNECTIONS_FOR_WRITES = 2; // of POOL_PRIMARY: not available to reads that fall back from the replica
export const FALLBACK_READS_WAITING_MAX = 100; // about POOL_ACQUIRE_MS of short reads; further ones are told to try again
export const LAST_WRITES_KEPT = 10_000; // users whose last write each api process remembers
export const REPLICA_LAG_MAX_MS = 60 * SECOND_MS; // a replica that lags further is not used
export const REPLICA_RETRY_MS = 1 * SECOND_MS; // how often an unreachable replica is tried again
export const MIGRATION_LOCK_MS = 1 * SECOND_MS; // below POOL_ACQUIRE_MS: queries that wait behind a migration still get an answer
export const MIGRATION_LOCK_TRIES_MAX = 10; // about two minutes in total; then an operator must find out what holds the lock
export const MIGRATION_LOCK_RETRY_MS = { base: 1 * SECOND_MS, max: 20 * SECOND_MS } as const; // in between, traffic proceeds
export const MIGRATION_BUILD_LOCK_MS = 10 * MINUTE_MS; // CREATE INDEX CONCURRENTLY waits for old transactions, and blocks none
export const MIGRATION_TURN_MS = 60 * MINUTE_MS; // how long to wait for another process that is migrating: building an index can take a while
export const MIGRATION_TURN_POLL_MS = 200;
export const PAGE_ROWS_DEFAULT = 50;
export const PAGE_ROWS_MAX = 200;
export const CURSOR_CHARS_MAX = 2_048; // a cursor contains its filter and its place: enough for the longest search and match, in any script
export const EXPORT_PAGE_ROWS = 200; // rows that a streaming export holds at once, each with its related rows; bench:patterns streaming-export: memory grows by 53 MB at 1,000, 36 at 250, 28 at 100
export const EXPORT_MS = 30 * MINUTE_MS;
export const EXPORT_PIECE_BYTES = 16 * KB; // of an export, handed over at a time: fine enough to tell how fast it is read
export const EXPORT_WINDOW_MS = 30 * SECOND_MS; // in each of these a client takes at least EXPORT_WINDOW_BYTES_MIN of its export, or is cut off
export const EXPORT_WINDOW_BYTES_MIN = 30 * KB; // 1 KB/s, as for uploads
export const EXPORTS_AT_ONCE_MAX = 4; // per process
export const EXPORT_PAGES_AT_ONCE_MAX = 1; // read from the database, of all exports of a process together
export const EXPORTS_OF_ORGANISATION_MAX = 2; // of these: one that does not read its files leaves the others theirs
export const EXPORT_STALLED_MS = 25 * SECOND_MS; // for which a client takes no EXPORT_PIECE_BYTES: then somebody else may have its place. Kernels take megabytes at once and tell of it when a third of these is read (1.55 of 4.3 MB on loopback), so a reader of 60 KB/s is not taken for one that does not read

// HTTP
export const BODY_BYTES_MAX = 128 * KB;
export const REQUEST_MS = 10 * SECOND_MS; // of any request, until its answer; a route can have a time of its own
export const REQUEST_COMMIT_MS = 1 * SECOND_MS; // how often a request whose time is over looks whether its commit is through, which QUERY_ANSWER_MS bounds
export const UPLOAD_MS = 10 * MINUTE_MS; // a file over a slow connection
export const HEADERS_MS = 10 * SECOND_MS;
export const REQUEST_CHECK_MS = 1 * SECOND_MS; // how often requests are checked for taking longer than HEADERS_MS, or their own limit, to arrive; Node does it every 30 s, so that 10 s could become 40
export const HEADER_BYTES_MAX = 16 * KB; // of all headers of a request together; browsers stop at 8 KB of cookies per site
export const HEADERS_MAX = 100; // a browser behind two proxies sends about 30
export const JSON_DEPTH_MAX = 16; // levels of a body; the deepest that any operation reads has 4
export const JSON_ITEMS_MAX = 1_000; // of one list or object in a body
export const KEEP_ALIVE_MS = 72 * SECOND_MS; // above the usual 60 s of load balancers, or they would send requests into closed connections
export const CONNECTION_AGE_MS = { min: 15 * SECOND_MS, max: 45 * SECOND_MS } as const; // a new instance has its share within a minute; a handshake each half minute costs nothing
export const REFUSED_BODY_LINGER_MS = 1 * SECOND_MS; // what a refused client still sends is read and dropped for this long, so that it hears the answer
export const REFUSED_BODIES_BYTES_PER_SECOND_MAX = 40 * MB; // of all of them: a client alone can send 20 MB and hear its answer within the time above
export const REFUSED_PIECE_BYTES_MIN = 4 * KB; // what a shorter piece of it counts as: most of the work is not in the bytes
export const SMALL_BODY_BYTES_MAX = 8 * KB; // to receive and refuse such a body costs no more than any other request
export const LARGE_BODIES_IN_VAIN = { perSecond: 10, burst: 20, debt: 100 } as const; // that a sender may send; past it the next ones wait: without that, ten clients who send megabytes of brackets take a third of a core (`attacks`, brackets)
export const LARGE_BODY_WAIT_MS_MAX = 1_500; // for the next one: below the patience of clients and of proxies
export const LARGE_BODIES_WAITING_MAX = 100; // nothing more of them is read: each holds what came in one packet with its headers, 64 KB at most
export const HTTP_CONNECTIONS_MAX = 2_000;
export const DESCRIPTORS_RESERVED = 64; // of the process's open files, not for connections from outside: pools, Redis, SMTP and what Node itself has open (about 30)
export const CONNECTIONS_REFUSED_LOG_MS = 10 * SECOND_MS; // at most one line in the log per server
export const RESPONSE_STALLED_MS = 30 * SECOND_MS; // a client that reads nothing for this long will not read the rest either
export const UNREAD_ANSWERS_BYTES_MAX = 32 * MB; // of all clients that have not read theirs yet: 300 of the longest lists, each on a line that takes none of it
export const HTTP_CONNECTIONS_SPARE = 100; // below HTTP_CONNECTIONS_MAX, from which on an idle connection is closed for each new one
export const PIPELINED_REQUESTS_MAX = 10; // requests that wait on one connection for the one before; browsers send none
export const BODY_MS = 3 * SECOND_MS; // for a body that is parsed as a whole: at most BODY_BYTES_MAX, usually in the packet of the headers
export const PUBLIC_BODY_BYTES_MAX = 8 * KB; // on routes without a sign-in: the largest valid registration, escaped, has 5 KB
export const BODY_PIECES_AT_EASE = 512; // from so many pieces of a body on they have BODY_PIECE_BYTES_MIN on average, or it is not read on
export const BODY_PIECE_BYTES_MIN = 16; // less than a row of any file has; clients that stream write lines, or kilobytes
export const BODIES_ARRIVING_MAX = { strangers: 300, known: 100 } as const; // with the two limits above 2.4 and 12.5 MB; for one more, the one that has taken longest is ended
export const UPLOADS_AT_ONCE_MAX = 40; // streamed bodies; each holds a few buffers, and the modules that read them have tighter limits
export const UPLOADS_OF_ORGANISATION_MAX = 10; // of these: one that sends a kilobyte a second leaves the others theirs
export const UPLOAD_WINDOW_MS = 10 * SECOND_MS; // in each of these an upload sends at least UPLOAD_WINDOW_BYTES_MIN, or it is ended
export const UPLOAD_WINDOW_BYTES_MIN = 10 * KB; // 1 KB/s: a tenth of what the worst mobile connections reach
export const REQUESTS_IN_FLIGHT_MAX = 64; // of signed-in people: more than keep 2 vCPU and the pools busy, and with 200 a nano at its limit answers a fifth fewer, because V8 copies all that they hold
export const REQUESTS_IN_FLIGHT_MIN = 25; // however small the machine and however late its event loop: with none it could not recover
export const REQUEST_MEMORY_BYTES = 512 * KB; // of a request in flight: its body, the rows of a page and the answer, each twice on their way
export const REQUEST_MEMORY_SHARE = 0.2; // of the container, for all requests in flight of signed-in people; those of strangers have 8 KB of body and a short answer
export const LOOP_SAMPLE_MS = 100; // how often the event loop's delay is taken
export const LOOP_SAMPLES = 10; // of which the median counts: one pause is not overload
export const LOOP_DELAY_MS = { easy: 200, hard: 1 * SECOND_MS } as const; // from `easy` on places become fewer, at `hard` there are REQUESTS_IN_FLIGHT_MIN left
export const WAITING_FOR_PLACES_MAX = { signIn: 50, interactive: 250, export: 4 } as const; // requests that came when all places were taken, in the order in which they are served
export const WAITING_FOR_PLACES_MS = { signIn: 1 * SECOND_MS, interactive: 500, export: 2 * SECOND_MS } as const; // somebody who cannot get in can do nothing else; whoever asks for a page waits less than a refusal would make them; nobody watches an export
export const STRANGERS_IN_FLIGHT_MAX = 100; // requests whose sender is not known: most of them wait for a password's hash
export const STRANGERS_AT_EASE_MAX = 50; // up to here strangers are not told apart; beyond it each network gets STRANGERS_PER_NETWORK_MAX
export const STRANGERS_PER_NETWORK_MAX = 10;
export const KNOWN_SESSION_MS = 30 * MINUTE_MS; // for how long a session that was valid counts as known when places are scarce
export const WORK_AFTER_CLOSE_MS = 60 * SECOND_MS; // a place whose client has gone is kept while the work goes on, but no longer than this: QUERY_ANSWER_MS and a retry
export const RETRY_AFTER_SECONDS = 2; // sent with every refusal
export const RETRY_AFTER_JITTER_SECONDS = 2; // at most this is added at random, so that those who were refused together do not come back together
export const PASSWORD_CHARS = { min: 10, max: 200 } as const;
export const PASSWORD_HASHES_AT_ONCE_MAX = 2; // 19 MiB each (argon2id), and one core fewer than there are: in a nano one at a time, about 30 a second
export const PASSWORD_HASH_REST_SHARE = 0.25; // of a hash's time nothing is hashed after it: a fifth fewer sign-ins a second, and in a storm of them the p95 of everybody else was 1.4 to 1.5 times the usual one instead of 1.9 (`attacks`, sign-ins at once)
export const POOL_THREADS_NICE = 10; // of 19, of the threads that hash: those that answer requests get nine tenths of a core that both want
export const PASSWORD_HASHES_WAITING_MAX = 20; // about 1 s of work, and as much again for known devices; further ones are told to try again
export const REQUESTS_PER_MINUTE_MAX = 6_000; // per user, unless REQUESTS_PER_MINUTE is set: a script in a loop must not monopolise the api
export const REQUESTS_OF_ORGANISATION = 3; // times REQUESTS_PER_MINUTE, for all users and keys of an organisation together
export const PASSWORD_HASH_WAIT_MS = 5 * SECOND_MS; // a sign-in that has waited for longer is told to try again: behind it others wait
export const SIGN_INS_PER_MINUTE_MAX = 10; // per account and network, or device; registrations per network
export const FAILED_SIGN_INS_MS = 15 * MINUTE_MS; // the window of the next two
export const FAILED_SIGN_INS_PER_ACCOUNT_MAX = 30; // from all networks together: 2,880 guesses a day at most
export const FAILED_SIGN_INS_PER_NETWORK_MAX = 100; // for all accounts together: a large office mistypes less often
export const DEVICE_ACCOUNTS_MAX = 5; // accounts that one device is known for; a sixth pushes out the oldest
export const DEVICE_MS = 365 * DAY_MS; // after its last sign-in a device is known for this long
export const REPEATABLE_REQUESTS_OF_STRANGERS_PER_MINUTE_MAX = 60; // with an Idempotency-Key, per network: each costs a query
export const UNKNOWN_SESSIONS_PER_MINUTE_MAX = 600; // that a network makes up: each costs a query; pages whose session has expired ask far less often
export const ETAG_CHARS_MAX = 200; // any tag that a client might send; ours are a quoted number
export const REPEATABLE_REQUESTS_MAX = 10_000; // with an Idempotency-Key, of an organisation in the time below: each can keep a row of half a kilobyte for IDEMPOTENCY_KEY_MS, so 120 MB at most
export const REPEATABLE_REQUESTS_MS = 60 * MINUTE_MS;
export const IDEMPOTENCY_KEY_CHARS_MAX = 255; // as long as Stripe's; a UUID has 36
export const IDEMPOTENCY_KEY_MS = DAY_MS; // for how long a repetition gets the first answer: a client that was off for a night is covered
export const IDEMPOTENT_ANSWER_BYTES_MAX = 32 * KB; // of an answer that is kept; the largest of a POST has about 10 KB
export const RATE_LIMIT_KEYS_MAX = 10_000; // of each limit, that a process counts itself
export const RATE_LIMIT_BATCH_SHARE = 0.01; // of a limit, that a process takes from Redis at a time: one round trip for 60 of 6,000 requests, each of 10 sign-ins by itself
export const RATE_LIMIT_USED_UP_MS = 1 * SECOND_MS; // for which a key that is used up is refused without asking Redis: a flood costs one round trip a second, and what another process gives back is noticed soon
export const SESSION_MS = 14 * DAY_MS;
export const SESSION_TOUCH_MS = 5 * MINUTE_MS; // how exactly a session's last use is known: one write per session and this
export const API_KEY_TOUCH_MS = 1 * MINUTE_MS; // the same of a key, which people look at to see whether it is still needed
export const DEVICE_CHARS_MAX = 300; // of a User-Agent; browsers send about 120
export const SESSION_CACHE_MS = 5 * SECOND_MS; // a session that was revoked by another process stays valid for at most this long
export const SESSION_CACHE_ENTRIES_MAX = 5_000;

// Redis and queues
export const REDIS_COMMAND_MS = 2 * SECOND_MS;
export const REDIS_SILENCE_MS = 3 * SECOND_MS; // above REDIS_COMMAND_MS: a connection that brings no answer for this long is replaced, or it would hang until the kernel gives it up, after a quarter of an hour
export const REDIS_CONSUMER_SILENCE_MS = 15 * SECOND_MS; // the same for BullMQ's consumers, whose commands wait up to 11 s for a job
export const REDIS_CONNECTED_POLL_MS = 20; // how often a process that starts looks whether its connection is there
export const REDIS_REPLACE_EVERY_MS = 1 * SECOND_MS; // how often a connection to a server that refuses writes is replaced
export const REDIS_MEMORY_EVERY_MS = 2 * SECOND_MS; // how often its use of memory is read
export const REDIS_ADMISSION_SHARE = 0.9; // of maxmemory: from there on nothing is added to a queue; the rest (6 MB of 64) is for jobs to move on, for reports and for rates
export const SHARED_COUNT_MS = 25; // for which a request waits for a counter in Redis, where a round trip takes 1 ms; then each process counts by itself
export const SHARED_COUNTS_AGAIN_MS = 1 * SECOND_MS; // between two requests that try whether Redis answers again, each of which waits
export const SHARED_COUNTS_MEMORY_SHARE = 0.5; // of maxmemory: from there on no counters are added, also for somebody with a million networks; the rest is for the queues
export const QUEUE_CLOSE_MS = 2 * SECOND_MS; // for BullMQ's connections to close, after our own work is done
export const JOB_LOCK_MS = 20 * SECOND_MS; // a job whose process died is picked up again after this
export const JOB_STALLED_CHECK_MS = 10 * SECOND_MS;
export const JOB_STALLED_MAX = 100; // a job may survive many crashes: its state is in PostgreSQL, not in the job
export const JOBS_AT_ONCE = 4; // jobs of one queue that one process runs concurrently
export const JOB_EVENTS_KEPT = 100;
export const OUTBOX_EVERY_MS = 500;
export const OUTBOX_BATCH_ROWS = 100;
export const OUTBOX_RETRY_MS = { base: 1 * SECOND_MS, max: 10 * MINUTE_MS } as const; // of an event whose handler failed
export const OUTBOX_DAYS = 30; // an event that nobody could handle for this long, with a line in the log each minute, belongs to a module that is gone
export const OUTBOX_REPORT_EVERY_MS = 1 * MINUTE_MS; // how often topics without a handler are named in the log
export const RETENTION_EVERY_MS = 60 * MINUTE_MS;
export const RETENTION_STEP_ROWS = 1_000; // deleted per statement, so that no lock is held for long

// Mail
export const MAILER_NICE = 10; // of 19: yields to processes that serve people on the same machine; between containers the cpu_shares of docker-compose.yml do that
export const SMTP_CONNECTIONS_MAX = 5; // and so the mails that are being handed over; further ones wait for their turn
export const SMTP_CONNECTIONS_PER_DOMAIN_MAX = 4; // of these, for recipients of one domain while others wait: a server that asks a slow domain for each recipient must not hold up everybody
export const SMTP_SLOW_CONNECTIONS_MAX = 2; // besides those: for domains whose servers take long, all of them together, one mail each; the other half of JOBS_AT_ONCE is for everybody else
export const SMTP_LATE_CONNECTIONS_MAX = 10; // besides those: for mails that the server has whole and does not answer; all together fewer than the 20 connections that Exchange takes from one client, and Postfix's 50
export const MAIL_PATIENCE_MS = { min: 2 * SECOND_MS, max: 15 * SECOND_MS } as const; // for which a mail to a domain that is not known as slow keeps a place of everybody's: in between,
export const MAIL_PATIENCE_SHARE = 4; // of what mails to ordinary domains take, so that no domain is blamed for a mail server that is slow itself
export const MAIL_USUAL_WEIGHT = 0.1; // of the last mail in what mails take
export const MAIL_DOMAIN_BUSY_MS = 1 * SECOND_MS; // the least after which a mail to a slow domain comes back
export const MAIL_DOMAINS_MAX = 2_000; // recipients' domains whose rate a mailer keeps in mind, and as many that are slow, 200 bytes each
export const MAIL_DOMAIN_WAIT_MS = 200; // a mail to a domain that is due sooner is waited for; a later one comes back
export const MAIL_DOMAIN_AHEAD_MS = 10 * MINUTE_MS; // how far ahead mails to one domain are put off; they may be withdrawn meanwhile
export const SMTP_CONNECT_MS = 30 * SECOND_MS; // the name, the address and TCP: a host that does not answer by then is down
export const SMTP_GREETING_MS = 5 * MINUTE_MS; // RFC 5321 4.5.3.2.1: a busy server accepts the connection and greets late
export const SMTP_ANSWER_MS = 10 * MINUTE_MS; // RFC 5321 4.5.3.2.6, after the final dot: whoever gives up sooner sends the mail twice
export const MAIL_TURN_MS = 5 * SECOND_MS; // for which a job waits for the answer to a mail that the server has: with JOBS_AT_ONCE of them everybody's next mail would wait
export const LATE_MAIL_AGAIN_MS = SMTP_ANSWER_MS + 1 * MINUTE_MS; // after which a job whose answer was late looks whether it has come: never while it can still come
export const MAIL_PACE = {
  burstMs: 100, // how much of its unused rate a mailer may catch up on: providers count per second
  batchMs: 50, // for which a mailer reserves passes ahead, so that Redis is not asked for each mail
  batchMax: 50,
  decrease: 0.7, // of what the provider took in the last second, after a refusal because of the rate
  growthSeconds: 50, // in which a reduced rate doubles, evenly
  min: 0.1, // mails a second: a provider that wants fewer wants none
  keptSeconds: 60 * 60, // that Redis remembers a reduced rate which nobody uses
  aloneMs: 5 * SECOND_MS, // for which a mailer keeps to its own share after Redis has not answered
} as const;
export const ANSWER_KEPT_SECONDS = 30; // mails that the mail server answered this recently count when it is asked how long it takes
export const SMTP_UTF8_KNOWN_MS = 10 * MINUTE_MS; // for which an answer counts to whether the server takes addresses in all letters
export const MAIL_REASON_CHARS_MAX = 300; // of what a server says about a mail
export const ENCODED_WORD_BYTES_MAX = 45; // 60 characters in base64, and 75 with what stands around them (RFC 2047)
export const MAIL_REPLY_CHARS_MAX = 2_000; // of it that are read for words
export const REPORT_BYTES_MAX = 256 * KB; // of a bounce or a complaint that comes in: it quotes one of our mails, which are a tenth of that
export const REPORT_HEADER_BYTES_MAX = 64 * KB;
export const REPORT_LINES_MAX = 4_000; // that are read of a report: what decides comes first, the mail that it quotes last; reading costs most by the line
export const REPORT_READING = { perSecond: 100, burst: 2_000 } as const; // milliseconds of CPU for reports, which anybody can send: a tenth of a CPU, and a burst of a thousand bounces
export const REPORT_READING_OF_NETWORK = { perSecond: 50, burst: 1_000 } as const; // of these: 25 bounces a second, as a mail server brings them after thousands of mails; more are to come again
export const REPORT_NESTING_MAX = 10; // parts within parts; a report has two levels, and quotes a mail with two more
export const REPORT_CONNECTIONS_MAX = 10; // servers that bring reports at once, so 2.5 MB of them; others are told to come back
export const REPORT_CONNECTIONS_OF_NETWORK_MAX = 4; // of these: anybody can connect, say nothing, and come again
export const REPORT_IDLE_MS = 30 * SECOND_MS; // then a server that says nothing is let go
export const REPORT_SESSION_MS = 5 * MINUTE_MS; // then one that goes on byte by byte is let go too: the places are for others
export const REPORT_CLOSE_MS = 1 * SECOND_MS; // of DRAIN_MS, for reports that are arriving when the process stops; their servers bring them again
export const REPORT_CERTIFICATE_EVERY_MS = 60 * MINUTE_MS; // how often the certificate for bounces is read again: it is renewed weeks before it ends
export const REPORT_FIELD_VALUES_MAX = 20; // of one name in a report; mail servers write each field once
export const REPORT_REFERENCES_MAX = 20; // in a report, that are verified: one HMAC each
export const WEBHOOK_TOLERANCE_MS = 5 * MINUTE_MS; // between a webhook's time and ours, as in the Standard Webhooks
export const WEBHOOK_EVENTS_MAX = 10; // per call: with their reasons they fit into PUBLIC_BODY_BYTES_MAX
export const TARGET_URL_CHARS_MAX = 1_000; // of an address that a customer has us call; tokens in its path included
export const TARGET_PORTS = [443, 8443] as const; // of such an address: HTTPS and its usual alternative, where no mail server and no database listens
export const TARGET_ADDRESSES_MAX = 4; // of a name, that are tried one after the other
export const DNS_ANSWER_MS = 2 * SECOND_MS; // then the name is asked for again, and with DNS_TRIES_MAX within WEBHOOK_CONNECT_MS
export const DNS_TRIES_MAX = 2;
export const WEBHOOK_CONNECT_MS = 5 * SECOND_MS; // DNS, TCP and TLS: a host that takes longer is down
export const WEBHOOK_ANSWER_MS = 15 * SECOND_MS; // from the beginning to the end; the Standard Webhooks recommend 15 to 30 s
export const WEBHOOK_ANSWER_BYTES_MAX = 16 * KB; // of an answer's body, which nobody reads; then the connection is cut
export const WEBHOOK_INTERIM_ANSWERS_MAX = 10; // 1xx before the answer: reading them without an end takes a processor from everybody else
export const WEBHOOK_REASON_CHARS_MAX = 200; // of what went wrong in a call
export const WEBHOOK_RETRIES_MS = [
  ...[5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 120 * MINUTE_MS],
  ...[300 * MINUTE_MS, 600 * MINUTE_MS, 600 * MINUTE_MS],
] as const; // between one call and the next, each longer or shorter by up to WEBHOOK_RETRY_JITTER: the schedule of the Standard Webhooks, up to 28 hours
export const WEBHOOK_RETRY_JITTER = 0.2; // so that what failed together does not come back together
export const WEBHOOK_RETRY_AFTER_MS_MAX = 60 * MINUTE_MS; // of what a receiver asks for with Retry-After
export const MAIL_HELD_WAIT = { min: 5 * SECOND_MS, max: 15 * MINUTE_MS, share: 0.1 } as const; // between two probes of a server that takes no mail from us: a tenth of the time that this has lasted
export const MAIL_RATE_WAIT = { min: 1 * SECOND_MS, max: 5 * MINUTE_MS, share: 0.1 } as const; // the same when we are too fast: providers count per second
export const MAIL_QUOTA_WAIT = {
  min: 15 * MINUTE_MS,
  max: 60 * MINUTE_MS,
  share: 0.1,
  probing: 5 * SECOND_MS,
} as const; // when a quota of the hour or the day is used up: most providers count the last 24 hours, so it comes back bit by bit

export const OPERATORS_MAX = 20; // of OPERATORS: those who run a platform of this size, and their substitutes
export const ALERT_RECIPIENTS_MAX = 10; // of ALERT_MAIL_TO; more people read a list's address

// WebSockets
export const SOCKETS_MAX = 16_000; // per process: idle, and with thousands more at the door, they need 296 of 512 MB, and a storm of reconnects needs the rest; it also stays below 20,000 descriptors, a usual limit
export const SOCKET_FRAME_BYTES_MAX = 16 * KB;
export const SOCKET_FRAGMENTS_MAX = 16;
export const SOCKET_BUFFERED_CHUNKS_MAX = 64;
export const SOCKET_BUFFER_BYTES_MAX = 512 * KB; // a client that does not read is disconnected at this many unsent bytes
export const SOCKET_HELLO_MS = 10 * SECOND_MS; // a socket that has not been welcomed by then is closed
export const SOCKET_CLOSE_MS = 1 * SECOND_MS; // from a close frame or a refusal to the end of the socket, if the client does not end it
export const SOCKET_PING_MS = 30 * SECOND_MS; // a socket from which nothing came between two pings is terminated
export const SOCKET_PING_TICK_MS = 100; // one slice of all sockets at a time: 54 of 16,000
export const SOCKET_PER_10_SECONDS_MAX = { messages: 50, frames: 200, bytes: 256 * KB } as const; // of one socket: people type; frames include pings and pongs
export const SOCKET_PONGS_PENDING_MAX = SOCKET_PER_10_SECONDS_MAX.frames; // not sent yet, of a client that does not read: with more of them it is terminated; as many pings may come in one chunk
export const SOCKET_STRANGER_PER_10_SECONDS_MAX = { messages: 5, frames: 20, bytes: 8 * KB } as const; // before the welcome: a hello, and room for a mistake
export const SOCKET_WORK_PAUSE = 8; // with as many messages waiting, nothing more is read from the socket: the client's own buffers fill instead of ours
export const SOCKET_WORK_WAITING_MAX = 64; // SOCKET_WORK_PAUSE, and what one chunk can still bring
export const SOCKETS_PER_ADDRESS_MAX = 6_000; // unless SOCKETS_PER_ADDRESS is set: a large office is behind one address, and 10,000 places are left for others
export const SOCKET_STRANGERS_MAX = SOCKETS_MAX / 2; // not welcomed yet: room for a large office that comes back at once; when there are more, a new one takes the place of the oldest that is silent
export const SOCKETS_FROM_ADDRESS = { perSecond: 500, burst: SOCKETS_PER_ADDRESS_MAX } as const; // new strangers: a large office is back at once, and a client that only knocks costs a tenth of a core
export const SOCKET_REFUSALS_HELD_MAX = 1_000; // sockets of addresses that ask too often; they are refused after SOCKET_CLOSE_MS, further ones at once
export const SOCKET_CUT_OFF_COST = 20; // new sockets, of its link or else of its address: a client that was cut off for flooding is usually back at once. With TICKETS_PER_LINK a link waits 1 s the first time, 20 s from then on
export const SOCKET_RETURNS_PER_SECOND = 2_000; // how many clients a stop tells to come back within a second: half of what a busy core takes
export const SOCKET_DRAIN_MS = 3 * SECOND_MS; // of DRAIN_MS: over this time a stop closes the sockets; the rest is for answers in flight
export const SOCKET_DRAIN_TICK_MS = 50;
export const SOCKET_DRAIN_PER_TICK_MIN = 20; // so that a stop with few sockets takes no time
export const SOCKET_MOVES_AFTER_MS = 10 * SECOND_MS; // after another process was heard of: by then balancers have found it ready
export const SOCKET_MOVES_MS = 30 * SECOND_MS; // over which clients are moved then: 333 a second when all places are taken, and a new process has its share within a minute
export const SOCKET_MOVES_TICK_MS = 500;
export const SOCKET_NONCE_CHARS_MAX = 64; // a longer one is not copied into the error
export const TICKET_MS = 30 * SECOND_MS; // from the answer with the ticket to the upgrade, on the slowest network that gets as far
export const TICKET_CHARS_MAX = 2_048; // a name of NAME_CHARS_MAX characters takes up to 640 of them, the rest 500
export const ACCESS_CHECK_MS = 5 * SECOND_MS; // how often the access of those who opened sockets is read again: as often as that of requests, SESSION_CACHE_MS
export const ACCESS_CHECK_HOLDERS = 1_000; // per statement
export const TICKETS_REMEMBERED_MAX = 2 * SOCKETS_MAX; // that one process remembers as used: all of its clients twice within TICKET_MS
export const TICKET_SHARED_MS = 500; // then Redis counts as gone, and a ticket is used up on this process only
export const TICKET_BODY_BYTES_MAX = 1 * KB; // a link's token has about 40
export const TICKETS_TURNOVER_SECONDS = 12; // an address gets tickets for all of its places at once, and then as many again in this time: 6,000, and 500 a second. A whole office is back after a restart, and again after the next one; the owner of thousands of links opens no more than 500 connections a second, a third of what a core takes (5,000 were back in 3 s)
export const TICKETS_PER_LINK = { perSecond: 1, burst: 20 } as const; // each of a person's windows twice at once; a line that is cut every two seconds needs half
export const FAN_OUT_PENDING_MAX = 2_000; // messages on their way to Redis; further ones are read from the database by whoever needs them
export const FAN_OUT_BEAT_MS = 1 * SECOND_MS; // how often a process checks that it hears; without Redis, how often it reads the database instead
export const FAN_OUT_SILENCE_MS = 2_500; // two missed beats
export const FAN_OUT_PEER_FORGOTTEN_MS = 5 * MINUTE_MS; // a process that has been silent for longer was killed, and is not waited for
export const FAN_OUT_RECONNECT_MS = 5 * SECOND_MS; // then the connection is presumed dead
export const FAN_OUT_READ_EVERY_MS = 30 * SECOND_MS; // in any case: nobody misses a process that has not reached Redis for FAN_OUT_PEER_FORGOTTEN_MS, or never has
export const FAN_OUT_JOIN_MS = 50; // a newcomer waits no longer for Redis
export const FAN_OUT_KEYS_PER_COMMAND = 1_000;

// Names and lists
export const NAME_CHARS_MAX = 120;
export const EMAIL_CHARS_MAX = 254; // RFC 5321
export const TIME_CHARS_MAX = 40; // ISO 8601 with nanoseconds and an offset has 35
export const TIME_ZONE_CHARS_MAX = 64; // the longest name in the IANA database has 32
export const LOCAL_PART_CHARS_MAX = 64; // before the @, RFC 5321 4.5.3.1.1
export const RETENTION_DAYS = 400; // how long a module may keep personal data

/**
 * The relations that must hold between the numbers above; a process whose relations are broken names them and does not
 * start.
 */
export const RELATIONS: readonly [string, boolean][] = [
  ['POOL_PRIMARY <= CONNECTIONS_RESERVED', Math.max(...Object.values(POOL_PRIMARY)) <= CONNECTIONS_RESERVED],
  ['REPORT_TTL_SECONDS < CROWDED_MS', REPORT_TTL_SECONDS * SECOND_MS < CROWDED_MS],
  ['LOCK_MS < STATEMENT_MS', Object.values(STATEMENT_MS).every((ms) => LOCK_MS < ms)],
  ['STATEMENT_MS.api < REQUEST_MS', STATEMENT_MS.api < REQUEST_MS],
  ['STATEMENT_MS.all < REQUEST_MS', STATEMENT_MS.all < REQUEST_MS],
  ['STATEMENT_MS < QUERY_ANSWER_MS', Object.values(STATEMENT_MS).every((ms) => ms < QUERY_ANSWER_MS)],
  ['POOL_ACQUIRE_MS < REQUEST_MS', POOL_ACQUIRE_MS < REQUEST_MS],
  [
    'QUIET_MOMENT_MS + DRAIN_MS < STOP_MS',
    QUIET_MOMENT_MS.min < QUIET_MOMENT_MS.max && QUIET_MOMENT_MS.max + DRAIN_MS < STOP_MS,
  ],
  ['SMALL_BODY_BYTES_MAX >= PUBLIC_BODY_BYTES_MAX', SMALL_BODY_BYTES_MAX >= PUBLIC_BODY_BYTES_MAX],
  [
    'LARGE_BODY_WAIT_MS_MAX < LARGE_BODIES_IN_VAIN.debt / LARGE_BODIES_IN_VAIN.perSecond',
    LARGE_BODY_WAIT_MS_MAX < (LARGE_BODIES_IN_VAIN.debt / LARGE_BODIES_IN_VAIN.perSecond) * SECOND_MS,
  ],
  ['LARGE_BODY_WAIT_MS_MAX + BODY_MS < DRAIN_MS', LARGE_BODY_WAIT_MS_MAX + BODY_MS < DRAIN_MS],
  ['LAME_DUCK_MS_DEFAULT < LAME_DUCK_MS_MAX', LAME_DUCK_MS_DEFAULT < LAME_DUCK_MS_MAX],
  ['UNUSED_CONNECTION_MS < DRAIN_MS', UNUSED_CONNECTION_MS < DRAIN_MS],
  ['BODY_MS < REQUEST_MS', BODY_MS < REQUEST_MS],
  ['PASSWORD_HASH_WAIT_MS < REQUEST_MS', PASSWORD_HASH_WAIT_MS < REQUEST_MS],
  ['REQUEST_MS < UPLOAD_MS', REQUEST_MS < UPLOAD_MS],
  ['PUBLIC_BODY_BYTES_MAX < BODY_BYTES_MAX', PUBLIC_BODY_BYTES_MAX < BODY_BYTES_MAX],
  [
    'STRANGERS_PER_NETWORK_MAX < STRANGERS_AT_EASE_MAX < STRANGERS_IN_FLIGHT_MAX',
    STRANGERS_PER_NETWORK_MAX < STRANGERS_AT_EASE_MAX && STRANGERS_AT_EASE_MAX < STRANGERS_IN_FLIGHT_MAX,
  ],
  ['QUERY_ANSWER_MS < WORK_AFTER_CLOSE_MS', QUERY_ANSWER_MS < WORK_AFTER_CLOSE_MS],
  [
    'REQUESTS_IN_FLIGHT_MAX + STRANGERS_IN_FLIGHT_MAX + BODIES_ARRIVING_MAX + UPLOADS_AT_ONCE_MAX < HTTP_CONNECTIONS_MAX - HTTP_CONNECTIONS_SPARE',
    REQUESTS_IN_FLIGHT_MAX +
      STRANGERS_IN_FLIGHT_MAX +
      BODIES_ARRIVING_MAX.strangers +
      BODIES_ARRIVING_MAX.known +
      UPLOADS_AT_ONCE_MAX <
      HTTP_CONNECTIONS_MAX - HTTP_CONNECTIONS_SPARE,
  ],
  ['SOCKET_DRAIN_MS + SOCKET_CLOSE_MS < DRAIN_MS', SOCKET_DRAIN_MS + SOCKET_CLOSE_MS < DRAIN_MS],
  ['SOCKET_STRANGERS_MAX < SOCKETS_MAX', SOCKET_STRANGERS_MAX < SOCKETS_MAX],
  ['TICKETS_TURNOVER_SECONDS <= 2 * SOCKET_MOVES_MS', TICKETS_TURNOVER_SECONDS * SECOND_MS <= 2 * SOCKET_MOVES_MS],
  ['SOCKET_MOVES_AFTER_MS + SOCKET_MOVES_MS < MINUTE_MS', SOCKET_MOVES_AFTER_MS + SOCKET_MOVES_MS < MINUTE_MS],
  [
    'SOCKET_WORK_PAUSE + SOCKET_PER_10_SECONDS_MAX.messages < SOCKET_WORK_WAITING_MAX',
    SOCKET_WORK_PAUSE + SOCKET_PER_10_SECONDS_MAX.messages < SOCKET_WORK_WAITING_MAX,
  ],
  [
    'CONNECTIONS_FOR_WRITES < POOL_PRIMARY',
    Math.min(POOL_PRIMARY.api, POOL_PRIMARY.mailer, POOL_PRIMARY.all) > CONNECTIONS_FOR_WRITES,
  ],
  [
    'REPORT_READING_OF_NETWORK < REPORT_READING',
    REPORT_READING_OF_NETWORK.perSecond < REPORT_READING.perSecond &&
      REPORT_READING_OF_NETWORK.burst < REPORT_READING.burst,
  ],
  [
    'REPORT_CONNECTIONS_OF_NETWORK_MAX < REPORT_CONNECTIONS_MAX',
    REPORT_CONNECTIONS_OF_NETWORK_MAX < REPORT_CONNECTIONS_MAX,
  ],
  ['SMTP_CONNECTIONS_PER_DOMAIN_MAX < SMTP_CONNECTIONS_MAX', SMTP_CONNECTIONS_PER_DOMAIN_MAX < SMTP_CONNECTIONS_MAX],
  ['SMTP_SLOW_CONNECTIONS_MAX < JOBS_AT_ONCE', SMTP_SLOW_CONNECTIONS_MAX < JOBS_AT_ONCE],
  ['DNS_ANSWER_MS * DNS_TRIES_MAX < WEBHOOK_CONNECT_MS', DNS_ANSWER_MS * DNS_TRIES_MAX < WEBHOOK_CONNECT_MS],
  ['WEBHOOK_CONNECT_MS < WEBHOOK_ANSWER_MS', WEBHOOK_CONNECT_MS < WEBHOOK_ANSWER_MS],
  ['MIGRATION_LOCK_MS < POOL_ACQUIRE_MS', MIGRATION_LOCK_MS < POOL_ACQUIRE_MS],
  ['EXPORT_PIECE_BYTES < EXPORT_WINDOW_BYTES_MIN', EXPORT_PIECE_BYTES < EXPORT_WINDOW_BYTES_MIN],
  ['EXPORT_STALLED_MS < EXPORT_WINDOW_MS', EXPORT_STALLED_MS < EXPORT_WINDOW_MS],
  ['EXPORTS_OF_ORGANISATION_MAX < EXPORTS_AT_ONCE_MAX', EXPORTS_OF_ORGANISATION_MAX < EXPORTS_AT_ONCE_MAX],
  ['UPLOADS_OF_ORGANISATION_MAX < UPLOADS_AT_ONCE_MAX', UPLOADS_OF_ORGANISATION_MAX < UPLOADS_AT_ONCE_MAX],
  ['PAGE_ROWS_DEFAULT <= PAGE_ROWS_MAX', PAGE_ROWS_DEFAULT <= PAGE_ROWS_MAX],
  ['FAN_OUT_BEAT_MS * 2 < FAN_OUT_SILENCE_MS', FAN_OUT_BEAT_MS * 2 < FAN_OUT_SILENCE_MS],
  ['FAN_OUT_SILENCE_MS < FAN_OUT_RECONNECT_MS', FAN_OUT_SILENCE_MS < FAN_OUT_RECONNECT_MS],
  ['FAN_OUT_RECONNECT_MS < FAN_OUT_READ_EVERY_MS', FAN_OUT_RECONNECT_MS < FAN_OUT_READ_EVERY_MS],
  [
    'SHARED_COUNT_MS < SHARED_COUNTS_AGAIN_MS < REDIS_COMMAND_MS',
    SHARED_COUNT_MS < SHARED_COUNTS_AGAIN_MS && SHARED_COUNTS_AGAIN_MS < REDIS_COMMAND_MS,
  ],
  ['REDIS_COMMAND_MS < REDIS_SILENCE_MS', REDIS_COMMAND_MS < REDIS_SILENCE_MS],
  ['SHARED_COUNTS_MEMORY_SHARE < REDIS_ADMISSION_SHARE', SHARED_COUNTS_MEMORY_SHARE < REDIS_ADMISSION_SHARE],
  ['TELEMETRY_SEND_MS < STOP_MS', TELEMETRY_SEND_MS < STOP_MS],
  ['REPORT_EVERY_MS < REPORT_TTL_SECONDS', REPORT_EVERY_MS < REPORT_TTL_SECONDS * SECOND_MS],
];
