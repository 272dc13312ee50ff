/**
 * One endpoint's turn: a few of its deliveries, a few at once, and then what was learned about it. One that has failed
 * several times in a row is a circuit that is open: it is left alone for a share of the time that it has failed for, and
 * then tried with a single call. It is kept in the endpoint's row and not in memory (src/flow/circuit-breaker.ts), because
 * it is the same for all mailers, and survives each of them.
 */
import pLimit from 'p-limit';
import type { Config } from '../../config.ts';
import type { Database } from '../../db/read-write-split.ts';
import { networksOf } from '../../http/ssrf-guard.ts';
import { sendWebhook, type WebhookOutcome, webhookRetryMs } from '../../http/webhook-delivery.ts';
import type { Log } from '../../log.ts';
import {
  type Attempt,
  type ClaimedEndpoint,
  type DueDelivery,
  dueDeliveries,
  type Health,
  lockClaimed,
  recordAttempt,
  releaseEndpoint,
} from './delivery-queries.ts';
import {
  WEBHOOK_CALLS_AT_ONCE,
  WEBHOOK_DELIVERIES_PER_TURN,
  WEBHOOK_FAILING_MS,
  WEBHOOK_FAILURES_TOLERATED,
  WEBHOOK_HOLD,
  WEBHOOK_SLOW_MS,
  WEBHOOK_TURN_MS,
} from './limits.ts';
import { createWebhookBox, openSecret } from './secrets.ts';
import { turnOffEndpoint } from './turning-off.ts';

export interface TurnParts {
  readonly database: Pick<Database, 'primary' | 'transact'>;
  readonly log: Log;
  readonly config: Pick<Config, 'secretKey' | 'webhookNetworks'>;
  readonly count: (outcome: MadeCall) => void;
}

export type MadeCall = Exclude<WebhookOutcome, { kind: 'interrupted' }>;

export interface Stop {
  /** Begin nothing. */
  readonly soon: AbortSignal;
  /** Do not wait for answers any more. */
  readonly now: AbortSignal;
}

export async function runTurn(parts: TurnParts, endpoint: ClaimedEndpoint, stop: Stop): Promise<void> {
  const isOpen = isCircuitOpen(endpoint.failures);
  const due = await dueDeliveries(
    parts.database.primary(endpoint.orgId),
    endpoint,
    isOpen ? { order: 'desc', limit: 1 } : { order: 'asc', limit: WEBHOOK_DELIVERIES_PER_TURN },
  );
  const learned: Learned = {
    failures: endpoint.failures,
    hasRecovered: false,
    isGone: false,
    slowestMs: 0,
    askedMs: 0,
  };
  const endsAt = performance.now() + WEBHOOK_TURN_MS;
  const atOnce = pLimit(WEBHOOK_CALLS_AT_ONCE);
  const call = createCalls(parts.config, endpoint);
  const deliver = async (delivery: DueDelivery) => {
    const opened = !isOpen && isCircuitOpen(learned.failures);
    if (stop.soon.aborted || performance.now() > endsAt || learned.isGone || opened) return;
    const outcome = await call(delivery, stop.now);
    if (outcome.kind === 'interrupted') return;
    await recordAttempt(parts.database.primary(endpoint.orgId), endpoint.orgId, delivery, attemptOf(outcome, delivery));
    parts.count(outcome);
    learn(learned, outcome);
  };
  await Promise.all(due.map((delivery) => atOnce(() => deliver(delivery))));
  await endTurn(parts, endpoint, learned);
}

interface Learned {
  failures: number;
  hasRecovered: boolean;
  isGone: boolean;
  slowestMs: number;
  /** How long the receiver has asked us to wait. */
  askedMs: number;
}

function createCalls(
  { secretKey, webhookNetworks }: TurnParts['config'],
  { orgId, url, sealedSecret, previousSealedSecret }: ClaimedEndpoint,
): (delivery: DueDelivery, signal: AbortSignal) => Promise<WebhookOutcome> {
  const networks = networksOf(webhookNetworks);
  const box = createWebhookBox(secretKey);
  const sealed = previousSealedSecret === null ? [sealedSecret] : [sealedSecret, previousSealedSecret];
  const secrets = sealed.flatMap((one) => openSecret(box, orgId, one) ?? []);
  return async ({ messageId, body }, signal) =>
    secrets.length === 0
      ? { kind: 'failed', status: null, ms: 0, reason: 'The secret cannot be read any more: rotate it.' }
      : sendWebhook({ url, secrets, id: messageId, body }, { networks, signal });
}

function learn(learned: Learned, outcome: MadeCall): void {
  learned.slowestMs = Math.max(learned.slowestMs, outcome.ms);
  if (outcome.kind === 'delivered') {
    learned.failures = 0;
    learned.hasRecovered = true;
  } else learned.failures++;
  if (outcome.kind === 'gone') learned.isGone = true;
  if (outcome.kind === 'failed') learned.askedMs = Math.max(learned.askedMs, outcome.retryAfterMs ?? 0);
}

function attemptOf(outcome: MadeCall, { attempts }: DueDelivery): Attempt {
  const made = { lastStatus: outcome.status, lastMs: outcome.ms };
  if (outcome.kind === 'delivered') return { ...made, status: 'delivered', retryMs: null, lastError: null };
  const lastError = outcome.reason;
  const retryMs = webhookRetryMs(attempts + 1);
  if (outcome.kind === 'gone' || retryMs === undefined) return { ...made, status: 'dead', retryMs: null, lastError };
  return { ...made, status: 'waiting', retryMs: Math.max(retryMs, outcome.retryAfterMs ?? 0), lastError };
}

async function endTurn({ database, log }: TurnParts, endpoint: ClaimedEndpoint, learned: Learned): Promise<void> {
  const { orgId, id } = endpoint;
  await database.transact(orgId, async (transaction) => {
    const locked = await lockClaimed(transaction, endpoint);
    if (locked === undefined) return;
    const { failures, hasRecovered } = learned;
    const isHopeless = failures > 0 && !hasRecovered && locked.failingForMs > WEBHOOK_FAILING_MS;
    if (!learned.isGone && !isHopeless)
      return releaseEndpoint(transaction, endpoint, healthOf(learned, locked.failingForMs));
    const because = learned.isGone ? 'gone' : 'failing';
    await turnOffEndpoint(transaction, { orgId, id, url: locked.url }, because);
    log.warn({ orgId, endpoint: id, because }, 'a webhook endpoint was disabled');
  });
}

function healthOf({ failures, hasRecovered, slowestMs, askedMs }: Learned, failingForMs: number): Health {
  const holdMs = isCircuitOpen(failures) ? Math.max(askedMs, holdMsOf(failingForMs)) : askedMs;
  return {
    failures,
    hasRecovered,
    holdMs: holdMs === 0 ? undefined : holdMs,
    isSlow: isCircuitOpen(failures) || slowestMs > WEBHOOK_SLOW_MS,
  };
}

function isCircuitOpen(failures: number): boolean {
  return failures > WEBHOOK_FAILURES_TOLERATED;
}

function holdMsOf(failingForMs: number): number {
  const { min, max, share } = WEBHOOK_HOLD;
  return Math.min(max, Math.max(min, failingForMs * share)) * (0.9 + Math.random() * 0.2);
}
