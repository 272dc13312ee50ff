/** The limits of campaigns, their mails and their ledger. */
import { MAIL_HELD_WAIT, QUEUE_CLOSE_MS, RETENTION_DAYS, SMTP_CONNECTIONS_MAX, STOP_MS } from '../../limits.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

export const SUBJECT_CHARS_MAX = 200;
export const MAIL_BODY_CHARS_MAX = 10_000;
export const PLACEHOLDERS_NAMED_MAX = 3; // of the unknown ones in a text: enough to find the mistake
export const PLACEHOLDER_SHOWN_CHARS_MAX = 40; // of one that was never closed, and goes on to the end of the text
export const QUESTIONS_MAX = 8;
export const QUESTION_CHARS_MAX = 300;
export const LINK_DAYS = 14; // how long the personal link in a mail is valid
export const CAMPAIGN_DAYS = RETENTION_DAYS + LINK_DAYS; // kept after it was sent; by then whatever its links led to is older than RETENTION_DAYS

export const CAMPAIGNS_SCHEDULED_MAX = 50; // per organisation
export const SCHEDULE_CRON_CHARS_MAX = 100;
export const SLOT_DISTANCE_MS_MIN = 60 * MINUTE_MS; // between two launches of a repeating campaign: nearer ones come from a star too many, and each is a mail to everybody
export const SLOTS_CHECKED_MS = 366 * 24 * 60 * MINUTE_MS; // how far ahead slots are compared: a year has every date and both clock changes
export const SLOTS_CHECKED_MAX = 400; // 40 µs each; enough for a year of daily ones, and a cron that is crowded on one of its days is so on all of them
export const SLOTS_PREVIEWED = 3;
export const DUE_EVERY_MS = 5 * SECOND_MS; // how often scheduled campaigns that are due are launched
export const SWEEP_EVERY_MS = 5 * SECOND_MS; // how often campaigns that are being sent are enqueued again, in case their job was lost
export const SWEEP_CAMPAIGNS_MAX = 200;

export const EXPAND_PAGE_ROWS = 1_000; // employees written to the ledger per statement
export const EXPAND_AWAIT_EVERY_MS = 500; // between two questions whether the transactions from before the launch have ended
export const EXPAND_AWAIT_MAX_MS = 10 * MINUTE_MS; // a transaction that is open for longer must not keep a campaign from its end
export const MAILS_IN_FLIGHT_MAX = 40; // taken by one sender at a time; also the most that a crash can send twice
export const LAST_DUE_SHARE = 0.25; // of what is claimed: for mails that are tried again, in their turn, while thousands have not been sent once
export const MAIL_DRAIN_MS = 5 * SECOND_MS; // of STOP_MS: how long a stop waits for the answers to mails that are being handed over
export const MAIL_SLICE_ROWS = 1_000; // per turn of a job; then it is the next campaign's turn: each turn begins and ends with idle connections, 1.4 s at 700 a second
export const MAIL_SLICE_MS = 2 * SECOND_MS; // the same at a slow rate: a campaign of ten must not wait until two hundred mails of another are out
export const PACE_EVERY_MS = 5 * SECOND_MS; // how often the rate of a campaign is noted: long enough for a mean, short enough to see it change
export const PACE_MS = 60 * SECOND_MS; // an older note says nothing about the present
export const UNDER_WAY_POLL_MS = 2 * SECOND_MS; // how often a campaign whose last mails are under way asks whether it is done
export const MAIL_SLICE_GRACE_MS = 1 * SECOND_MS; // then what still waits for its turn goes back, and after it what the server does not answer goes on beside the next slice
export const MAIL_LEASE_MS = 30 * SECOND_MS; // a mail whose process died is claimed again after this; a mail that is under way keeps its lease
export const MAIL_LEASE_EXTEND_EVERY_MS = 5 * SECOND_MS; // so that a process that was stopped for 20 s still has it
export const STOPPED_EVERY_MS = 15_000; // how often the campaigns that the mail server holds up are counted
export const STOPPED_COUNTED_MAX = 1_000; // beyond it the exact number does not matter
export const STOPPED_ALERT_MS = 10 * 60_000; // a short outage of the mail server ends by itself
export const MAIL_TEND_EVERY_MS = 500; // while mails are under way: recording, extending leases, and noticing that somebody paused or cancelled
export const MAIL_RECORD_MS = 60 * SECOND_MS; // how long outcomes are kept for a database that does not take them
export const MAIL_RECORD_RETRY_MS = { base: 200, max: 2 * SECOND_MS } as const;
export const MAIL_ATTEMPTS_MAX = 16; // of a mail that its recipient's mailbox does not take for now: four to five hours, longer than greylisting and a full mailbox
export const MAIL_RETRY_MS = { base: 30 * SECOND_MS, max: 60 * MINUTE_MS } as const;
export const MAIL_RETRY_MARGIN_MS = 50; // added to a retry's due time, so that the job does not run a moment too early
export const HELD_STEP_MS = 5 * SECOND_MS; // a recipient whose mail was refused because of us waits this much longer each time, so that it is not always the probe
export const HELD_POLL_MS = 30 * SECOND_MS; // how long a held campaign's job sleeps at most
export const HELD_STOP_MS = 72 * 60 * MINUTE_MS; // after three days only a person resumes it
export const TEST_MAILS_PER_MINUTE_MAX = 5; // of one person: a test is read before the next one is asked for
export const TEST_MAIL_TRIED_MS = 10 * MINUTE_MS; // by then the person has asked again
export const TEST_MAIL_RETRY_MS = 20 * SECOND_MS;
export const FAILURES_COUNTED_MAX = 100_000;
export const SUPPRESSED_COUNTED_MAX = 10_000; // each is looked up among the employees before a launch
export const RETRY_STEP_ROWS = 1_000; // failed recipients that are put back per statement
export const RETRY_ROWS_MAX = 100_000; // per request

export const RELATIONS: readonly [string, boolean][] = [
  ['MAIL_LEASE_EXTEND_EVERY_MS * 4 <= MAIL_LEASE_MS', MAIL_LEASE_EXTEND_EVERY_MS * 4 <= MAIL_LEASE_MS],
  ['MAIL_TEND_EVERY_MS < MAIL_LEASE_EXTEND_EVERY_MS', MAIL_TEND_EVERY_MS < MAIL_LEASE_EXTEND_EVERY_MS],
  ['MAIL_DRAIN_MS + QUEUE_CLOSE_MS < STOP_MS', MAIL_DRAIN_MS + QUEUE_CLOSE_MS < STOP_MS],
  ['SMTP_CONNECTIONS_MAX <= MAILS_IN_FLIGHT_MAX', SMTP_CONNECTIONS_MAX <= MAILS_IN_FLIGHT_MAX],
  ['MAILS_IN_FLIGHT_MAX <= MAIL_SLICE_ROWS', MAILS_IN_FLIGHT_MAX <= MAIL_SLICE_ROWS],
  ['MAIL_HELD_WAIT.max < HELD_STOP_MS', MAIL_HELD_WAIT.max < HELD_STOP_MS],
];
