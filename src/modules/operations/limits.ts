/** Thresholds of the alerts, each below what fails, with what it leaves; and the bounds of the watch itself. */
import { POOL_WAITING_MAX, REPLICA_LAG_MAX_MS, REPORT_TTL_SECONDS } from '../../limits.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_SECONDS = 24 * 60 * 60;

// The watch
export const WATCH_EVERY_MS = 10 * SECOND_MS; // how often the mailers look at servers and judge the rules
export const ALERT_SEND_MS = 2 * MINUTE_MS; // for which a mail server may take its time with such a mail; then it is tried again
export const ALERT_TELLING_MS = 3 * MINUTE_MS; // a mailer that has taken a mail upon itself and not sent it by then has died: another one sends it
export const ASKED_STOP_DAYS = 30; // after which no Redis comes back with the trace of the process
export const ALERT_DAYS = 30; // an alert that is over and that could not be told for this long is forgotten
export const ALERTS_MAX = 500; // rules times kinds of processes: about 100
export const ALERTS_PER_MAIL_MAX = 20; // in one mail; the next one holds the others
export const DEATHS_WINDOW_MS = 15 * MINUTE_MS; // deaths that an alert counts
export const SILENT_MS = REPORT_TTL_SECONDS * SECOND_MS; // a process without a report for this long, at two looks in a row, is dead
export const CERTIFICATE_EVERY_MS = 60 * MINUTE_MS;
export const CERTIFICATE_ANSWER_MS = 5 * SECOND_MS;
export const SLOT_BYTES_ASSUMED = 1024 * 1024 * 1024; // what a slot may keep where max_slot_wal_keep_size sets no limit
export const OUTBOX_COUNTED_MAX = 10_000; // beyond it the exact number does not matter

// Thresholds
export const MEMORY_SHARE = 0.85; // 77 MB of 512 are left; the bench's gate wants less than 400 MB
export const LOOP_DELAY_SECONDS = 0.25; // p99, again and again for a minute; people notice, and a mailer that yields its processor on a busy machine reaches 0.2
export const THROTTLED_SHARE = 0.25; // of the periods in the last RECENT_MS
export const POOL_WAITING = POOL_WAITING_MAX / 10; // callers; the next ones would still be served
export const REPLICA_LAG_SECONDS = REPLICA_LAG_MAX_MS / SECOND_MS / 6; // far from being taken out of use, and far from normal
export const SLOT_SHARE = 0.5; // of max_slot_wal_keep_size: beyond it the replica must be built anew
export const DISK_FREE_SHARE = 0.15;
export const QUEUE_SECONDS = 120; // that the next job waits: consumers take one within a second
export const OUTBOX_SECONDS = 60; // that an event waits: usually half a second
export const MAIL_ANSWER_SECONDS = 15; // that a mail takes on average: a provider answers within two; at fifteen, 5 connections send 20 mails a minute
export const MAIL_REFUSED_SHARE = 0.05; // of the mails taken in the last RECENT_MS: large providers act from 5 to 10 %
export const MAIL_REFUSED_MIN = 20; // in the last RECENT_MS: of ten mails one is refused by chance
export const RETRIES = 50; // transactions in the last RECENT_MS
export const DEADLOCKS = 10; // in the last RECENT_MS; each costs its victims deadlock_timeout
export const CRASHES = 2; // in DEATHS_WINDOW_MS: one is a bug to look at, three are a loop
export const BUDGET_SHARE = 1; // of the connections that processes may have: CONNECTIONS_RESERVED of those needed are for others, and left
export const CONNECTIONS_SHARE = 0.8; // of max_connections: eight are left in a server of 40, for a process that starts and for you
export const REDIS_SHARE = 0.8; // of maxmemory; when it is full no job is taken
export const CERTIFICATE_SECONDS = 14 * DAY_SECONDS; // renewals happen 30 days before the end
export const BACKUP_SECONDS = 26 * 60 * 60; // a daily one, and two hours for it

export const RELATIONS: readonly [string, boolean][] = [
  ['ALERT_SEND_MS < ALERT_TELLING_MS', ALERT_SEND_MS < ALERT_TELLING_MS],
  ['WATCH_EVERY_MS < SILENT_MS * 2', WATCH_EVERY_MS < SILENT_MS * 2],
];
