/** The limits of campaigns, their mails and their ledger. */
import { MAILS_IN_FLIGHT_MAX, RETENTION_DAYS, SMTP_MS } from '../../limits.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

export const SUBJECT_CHARS_MAX = 200;
export const MAIL_BODY_CHARS_MAX = 10_000;
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
export const MAIL_CLAIM_ROWS = 20; // claimed from the ledger at a time
export const MAIL_SLICE_ROWS = 200; // per turn of a job; then it is the next campaign's turn
export const MAIL_LEASE_MS = 30 * SECOND_MS; // above SMTP_MS: a mail claimed by a process that died is claimed again after this
export const MAIL_ATTEMPTS_MAX = 5; // of a mail that the server asks us to retry later
export const MAIL_RETRY_MS = { base: 30 * SECOND_MS, max: 60 * MINUTE_MS } as const;
export const MAIL_RETRY_MARGIN_MS = 50; // added to a retry's due time, so that the job does not run a moment too early

export const RELATIONS: readonly [string, boolean][] = [
  ['SMTP_MS < MAIL_LEASE_MS', SMTP_MS < MAIL_LEASE_MS],
  ['MAIL_CLAIM_ROWS <= MAILS_IN_FLIGHT_MAX', MAIL_CLAIM_ROWS <= MAILS_IN_FLIGHT_MAX],
  ['MAIL_CLAIM_ROWS <= MAIL_SLICE_ROWS', MAIL_CLAIM_ROWS <= MAIL_SLICE_ROWS],
];
