/** The limits of campaigns, their mails and their ledger. */
import { MAILS_IN_FLIGHT_MAX, SMTP_MS } from '../../limits.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

export const SUBJECT_CHARS_MAX = 200;
export const MAIL_BODY_CHARS_MAX = 10_000;
export const QUESTIONS_MAX = 8;
export const QUESTION_CHARS_MAX = 300;
export const LINK_DAYS = 14; // how long the personal link in a mail is valid

export const CAMPAIGNS_SCHEDULED_MAX = 50; // per organisation
export const SCHEDULE_CRON_CHARS_MAX = 100;
export const SCHEDULE_TIME_CHARS_MAX = 40;
export const TIME_ZONE_CHARS_MAX = 64; // the longest name in the IANA database has 32
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
