/**
 * What it is: a transaction that PostgreSQL gave up for no fault of its own is run again, whole.
 * What fails without it: of 48 transactions over 5 of 40 rows each, deadlocks lose 20.
 * How it works: one table of SQLSTATEs says what is worth a retry; the wait is exponential with full jitter; the work
 *   is called again from its first line, so decisions are taken on what it reads then. Locks are taken in a fixed order
 *   first (rows by their key, and what most others wait for last): the retry is the second line of defence.
 * What it costs: nothing when nothing fails. Its bound: TRANSACTION_TRIES_MAX, TRANSACTION_RETRY_MS.
 * Its proof: test/db/deadlock-retry.test.ts, bench/patterns/deadlock-retry.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transaction } from 'kysely';
import { SQLSTATE, sqlState } from '../errors.ts';
import { backoffMs } from '../flow/backoff.ts';
import { TRANSACTION_RETRY_MS, TRANSACTION_TRIES_MAX } from '../limits.ts';
import type { Db } from './database.ts';
import type { Schema } from './schema.ts';

/** Nothing was committed and the same work may succeed now. Never 57014: a statement that was too slow will be again. */
const RETRYABLE: Readonly<Record<string, string>> = {
  [SQLSTATE.serializationFailure]: 'serialization failure',
  [SQLSTATE.deadlockDetected]: 'deadlock',
  [SQLSTATE.lockNotAvailable]: 'lock not available',
  [SQLSTATE.adminShutdown]: 'server shuts down',
  [SQLSTATE.crashShutdown]: 'server crashed',
  [SQLSTATE.cannotConnectNow]: 'server starts',
  [SQLSTATE.connectionFailure]: 'connection lost',
  [SQLSTATE.connectionDoesNotExist]: 'connection does not exist',
};

/** COMMIT was sent and its answer never came: the work may or may not have happened. Not for a blind retry. */
export class UnknownOutcomeError extends Error {
  override name = 'UnknownOutcomeError';
}

/**
 * Runs `attempt`, whole, until it succeeds or fails for a reason that would come again; it may run several times and must
 * have no effect outside the database. Each attempt takes a connection of its own: the last one may be broken.
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

/** Runs `work` once, in a transaction on `connection`. Throws UnknownOutcomeError when COMMIT stays without an answer. */
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
      .catch(() => undefined); // the first error is the one that explains
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

/** PostgreSQL itself said no to COMMIT, and did not go away over it. */
function isAnswer(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && !state.startsWith('08') && !state.startsWith('57P');
}

function retryReason(error: unknown): string | undefined {
  if (error instanceof UnknownOutcomeError) return undefined;
  const state = sqlState(error);
  if (state !== undefined) return RETRYABLE[state];
  return isConnectionLoss(error) ? 'connection lost' : undefined;
}

/**
 * No server answers, or it is not the primary, for as long as a restart or a failover takes; what was asked has not
 * happened. Never a COMMIT without an answer.
 */
export function isServerAway(error: unknown): boolean {
  const state = sqlState(error) ?? '';
  return /^(57P0|08)/.test(state) || state === SQLSTATE.readOnlyTransaction || isConnectionLoss(error);
}

/** The socket broke: node's own codes, or pg's message for a connection that ended under a query. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return (
    /^(ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH)$/.test(code) ||
    /^Connection terminated/.test(error.message) ||
    neverSent(error)
  );
}

/** The connection was known to be broken, so pg sent nothing over it. */
function neverSent(error: unknown): boolean {
  return error instanceof Error && /is not queryable$/.test(error.message);
}
