/**
 * What it is: a transaction that failed for a transient reason, such as a deadlock, is run again from the start.
 * What fails without it: of 4,000 payments between accounts that pay into each other, deadlocks lose dozens
 *   (bench/results/patterns.json).
 * How it works: a table of SQLSTATEs lists the errors worth a retry; the delay is exponential with full jitter; the
 *   whole work is called again, so it decides on what it reads then. The first defence is a fixed lock order (rows by
 *   key, the most contended ones last; bench/patterns/lock-order); the retry is the second.
 * What it costs: nothing when nothing fails. Its bound: TRANSACTION_TRIES_MAX, TRANSACTION_RETRY_MS.
 * Its proof: test/db/deadlock-retry.test.ts, bench/patterns/deadlock-retry.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transaction } from 'kysely';
import { SQLSTATE, sqlState } from '../errors.ts';
import { backoffMs } from '../flow/backoff.ts';
import { TRANSACTION_RETRY_MS, TRANSACTION_TRIES_MAX } from '../limits.ts';
import type { Db, Schema } from './schema.ts';

/**
 * Nothing was committed, and a retry may succeed. Never 57014: a statement that was too slow will be too slow again.
 */
const RETRYABLE: Readonly<Record<string, string>> = {
  [SQLSTATE.serializationFailure]: 'serialization failure',
  [SQLSTATE.deadlockDetected]: 'deadlock',
  [SQLSTATE.lockNotAvailable]: 'lock not available',
  [SQLSTATE.adminShutdown]: 'server shutting down',
  [SQLSTATE.crashShutdown]: 'server crashed',
  [SQLSTATE.cannotConnectNow]: 'server starting up',
  [SQLSTATE.connectionFailure]: 'connection lost',
  [SQLSTATE.connectionDoesNotExist]: 'connection does not exist',
};

/** COMMIT was sent but its answer never came: it may or may not have been committed, so a blind retry is not safe. */
export class UnknownOutcomeError extends Error {
  override name = 'UnknownOutcomeError';
}

/**
 * Runs `attempt` until it succeeds or fails for a reason that a retry would not fix. It can run several times, so it
 * must have no effect outside the database. Each attempt takes a new connection: the previous one may be broken.
 */
export async function withRetry<T>(attempt: () => Promise<T>, onRetry: (reason: string) => void): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const reason = retryReason(error);
      if (reason === undefined || tries >= TRANSACTION_TRIES_MAX) throw error;
      onRetry(reason);
      await sleep(backoffMs(tries - 1, TRANSACTION_RETRY_MS));
    }
  }
}

/** Runs `work` once, in a transaction on `connection`. Throws UnknownOutcomeError when COMMIT gets no answer. */
export async function inTransaction<T>(
  connection: Db,
  work: (transaction: Transaction<Schema>) => Promise<T>,
): Promise<T> {
  const transaction = await connection.startTransaction().execute();
  let value: T;
  try {
    value = await work(transaction);
  } catch (error) {
    await transaction
      .rollback()
      .execute()
      .catch(() => undefined); // the first error is the one that matters
    throw error;
  }
  try {
    await transaction.commit().execute();
  } catch (error) {
    if (isAnswer(error) || neverSent(error)) throw error;
    throw new UnknownOutcomeError('The connection was lost while the transaction was being committed', {
      cause: error,
    });
  }
  return value;
}

/** PostgreSQL itself rejected the COMMIT, and the connection did not break. */
function isAnswer(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && !state.startsWith('08') && !state.startsWith('57P');
}

function retryReason(error: unknown): string | undefined {
  if (error instanceof UnknownOutcomeError) return undefined;
  const state = sqlState(error);
  if (state !== undefined && state in RETRYABLE) return RETRYABLE[state];
  return isConnectionLoss(error) ? 'connection lost' : undefined;
}

/**
 * No server answers, or it is not the primary, as during a restart or a failover; the statement had no effect. Never
 * true for a COMMIT without an answer.
 */
export function isServerAway(error: unknown): boolean {
  const state = sqlState(error) ?? '';
  return /^(57P0|08)/.test(state) || state === SQLSTATE.readOnlyTransaction || isConnectionLoss(error);
}

/** The socket broke: Node's own codes, or pg's message for a connection that ended during a query. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return (
    /^(ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH)$/.test(code) ||
    /^Connection terminated/.test(error.message) ||
    // PgBouncer's words, as 08P01, when the server's end broke under a statement.
    /^server conn(?:ection)? (?:closed|crashed)/.test(error.message) ||
    neverSent(error)
  );
}

/** The connection was known to be broken, so pg sent nothing over it. */
function neverSent(error: unknown): boolean {
  return error instanceof Error && /is not queryable$/.test(error.message);
}
