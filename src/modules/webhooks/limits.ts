import { DRAIN_MS, RETENTION_DAYS, WEBHOOK_ANSWER_MS } from '../../limits.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

export const WEBHOOKS_MAX = 20; // endpoints of one organisation: one for each of its systems, and each event costs a row for each of them
export const WEBHOOK_TYPES_MAX = 50; // that one endpoint listens to; a service declares fewer
export const WEBHOOK_TYPE_CHARS_MAX = 60;
export const WEBHOOK_BODY_BYTES_MAX = 20 * 1024; // the most that the Standard Webhooks recommend; events have ids and are far smaller
export const WEBHOOK_SECRET_OVERLAP_MS = DAY_MS; // for which the old secret signs as well, after a rotation: time to bring the new one to the receiver
export const WEBHOOK_WAITING_MAX = 5_000; // deliveries of one endpoint that wait; one that is that far behind is disabled
export const WEBHOOK_REPLAYED_MAX = 1_000; // deliveries that one call replays
export const WEBHOOK_DELIVERY_DAYS = 30; // how long deliveries are shown, and can be replayed

// Delivering
export const WEBHOOK_EVERY_MS = 500; // how often a mailer looks for endpoints that are due
export const WEBHOOK_TURNS_AT_ONCE = { fast: 12, slow: 8 } as const; // endpoints that one mailer calls at once; those that fail or are slow have places of their own, so that the others keep theirs
export const WEBHOOK_SLOW_MS = 2 * SECOND_MS; // an endpoint whose slowest answer took longer is slow
export const WEBHOOK_CALLS_AT_ONCE = 4; // to one endpoint; so 80 connections in all, about 6 MB with TLS
export const WEBHOOK_DELIVERIES_PER_TURN = 16; // then it is another endpoint's turn
export const WEBHOOK_TURN_MS = 5 * SECOND_MS; // after which a turn begins no further calls
export const WEBHOOK_LEASE_MS = 60 * SECOND_MS; // after which the endpoint of a mailer that died is taken by another one
export const WEBHOOK_DRAIN_MS = 3 * SECOND_MS; // of DRAIN_MS: calls that have no answer by then are interrupted, and made again

// When it fails
export const WEBHOOK_FAILURES_TOLERATED = 2; // in a row; after one more the endpoint is left alone for a while, and then tried with a single call
export const WEBHOOK_HOLD = { min: 5 * SECOND_MS, max: 15 * MINUTE_MS, share: 0.1 } as const; // for how long: a tenth of the time that it has failed for
export const WEBHOOK_FAILING_MS = 5 * DAY_MS; // an endpoint that has failed for as long, without one success, is disabled: a weekend and three days to notice

export const WEBHOOK_OWNERS_TOLD_MAX = 20; // owners who get a mail about it; more than that share a mailbox anyway
export const WEBHOOK_NOTICE_LOOKS_BACK = 100; // deliveries, for the last one that was tried; the latest are
export const WEBHOOK_NOTICE_AGAIN_MS = 1 * MINUTE_MS; // after a mail server could not take that mail
export const WEBHOOK_NOTICE_SWEEP_EVERY_MS = 1 * MINUTE_MS; // jobs that Redis lost are enqueued again
export const WEBHOOK_NOTICES_SWEPT_MAX = 100; // in one sweep; the oldest first

export const RELATIONS: readonly [string, boolean][] = [
  [
    'WEBHOOK_TURN_MS + WEBHOOK_ANSWER_MS < WEBHOOK_LEASE_MS / 2',
    WEBHOOK_TURN_MS + WEBHOOK_ANSWER_MS < WEBHOOK_LEASE_MS / 2,
  ],
  ['WEBHOOK_DRAIN_MS < DRAIN_MS', WEBHOOK_DRAIN_MS < DRAIN_MS],
  ['WEBHOOK_FAILING_MS < WEBHOOK_DELIVERY_DAYS', WEBHOOK_FAILING_MS < WEBHOOK_DELIVERY_DAYS * DAY_MS],
  ['WEBHOOK_DELIVERY_DAYS <= RETENTION_DAYS', WEBHOOK_DELIVERY_DAYS <= RETENTION_DAYS],
];
