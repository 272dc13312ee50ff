/**
 * What it is: reads share connections. A quick statement is sent behind one that is still running, instead of waiting
 *   in our process until a connection is free.
 * What fails without it: between two statements a connection idles until our process has read the answer, given the
 *   connection back and sent what waits for it; and PostgreSQL's backend falls asleep and is woken for each statement.
 * How it works: a read is a statement of its own that brings its own scope (statement-scope), so it needs no connection
 *   for itself. While there are free connections each takes one. Then those that have been quick lately go where the
 *   fewest are under way, at most STATEMENTS_PER_CONNECTION_MAX; PostgreSQL answers in the order in which they came. A
 *   statement that is not known to be quick has a connection to itself, and whoever comes later waits behind it in line.
 * What it costs: a quick statement that is slow for once holds up the few that were sent behind it.
 * Its bound: STATEMENTS_PER_CONNECTION_MAX, QUICK_STATEMENT_MS, SHARED_CONNECTION_MS; POOL_WAITING_MAX and
 *   POOL_ACQUIRE_MS for those that wait.
 * Its proof: test/db/pipelined-reads.test.ts, bench/patterns/pipelined-reads.
 */
import { AppError } from '../errors.ts';
import {
  POOL_ACQUIRE_MS,
  POOL_WAITING_MAX,
  PREPARED_STATEMENTS_MAX,
  QUICK_RUNS_MIN,
  QUICK_STATEMENT_MS,
  RETRY_AFTER_SECONDS,
  SHARED_CONNECTION_MS,
  STATEMENTS_PER_CONNECTION_MAX,
} from '../limits.ts';
import type { Terms } from './statement-scope.ts';

/** One of the pool's, with pg's pipeline mode: it can be asked again before it has answered. */
export interface ReadConnection<Answer> {
  ask(terms: Terms, text: string, values: unknown[]): Promise<Answer>;
  release(): void;
}

export interface PipelinedReads<Answer> {
  /** Throws AppError `overloaded` when too many wait, or when it has waited for too long. */
  run(terms: Terms, text: string, values: unknown[]): Promise<Answer>;
  readonly waiting: number;
}

/** `connect` takes one of `max` connections out of the pool. */
export function createPipelinedReads<Answer>(
  connect: () => Promise<ReadConnection<Answer>>,
  max: number,
): PipelinedReads<Answer> {
  const statements = new Map<string, Statement>();
  const lanes = new Set<Lane<Answer>>();
  const waiting: Waiter<Answer>[] = [];

  async function run(terms: Terms, text: string, values: unknown[]): Promise<Answer> {
    const statement = statementOf(text);
    const lane = (waiting.length === 0 ? laneFor(statement) : undefined) ?? (await waitForLane(statement));
    try {
      lane.connection ??= await lane.connecting;
      const sentAt = performance.now();
      const answer = await lane.connection.ask(terms, text, values);
      const now = performance.now();
      // What it took by itself: not while the one before it was answered.
      const tookMs = now - Math.max(sentAt, lane.answeredAt);
      statement.quickRuns = tookMs < QUICK_STATEMENT_MS ? statement.quickRuns + 1 : 0;
      lane.answeredAt = now;
      return answer;
    } catch (error) {
      statement.quickRuns = 0;
      lane.isShared = false; // its connection may be lost
      throw error;
    } finally {
      leave(lane);
    }
  }

  function statementOf(text: string): Statement {
    const known = statements.get(text);
    if (known !== undefined) return known;
    if (!SELECT.test(text)) throw new Error(`A read is a SELECT: others may share its connection. Not: ${text}`);
    const statement = { quickRuns: 0 };
    if (statements.size < PREPARED_STATEMENTS_MAX) statements.set(text, statement);
    return statement;
  }

  /** With the statement counted in. */
  function laneFor(statement: Statement): Lane<Answer> | undefined {
    const lane = lanes.size < max ? open() : isQuick(statement) ? emptiest() : undefined;
    if (lane !== undefined) take(lane, statement);
    return lane;
  }

  function open(): Lane<Answer> {
    const lane: Lane<Answer> = {
      connecting: connect(),
      since: performance.now(),
      underWay: 0,
      isShared: true,
      answeredAt: 0,
    };
    lanes.add(lane);
    return lane;
  }

  function emptiest(): Lane<Answer> | undefined {
    const youngest = performance.now() - SHARED_CONNECTION_MS;
    let found: Lane<Answer> | undefined;
    for (const lane of lanes) {
      if (lane.isShared && lane.since > youngest && lane.underWay < (found?.underWay ?? STATEMENTS_PER_CONNECTION_MAX))
        found = lane;
    }
    return found;
  }

  function waitForLane(statement: Statement): Promise<Lane<Answer>> {
    if (waiting.length >= POOL_WAITING_MAX) throw databaseBusy();
    return new Promise((resolve, reject) => {
      const waiter: Waiter<Answer> = {
        statement,
        resolve(lane) {
          clearTimeout(timer);
          resolve(lane);
        },
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(waiter), 1);
        reject(databaseBusy());
      }, POOL_ACQUIRE_MS);
      waiting.push(waiter);
    });
  }

  /** In the order in which they came: one that needs a connection to itself is not overtaken. */
  function leave(lane: Lane<Answer>): void {
    lane.underWay--;
    if (lane.underWay === 0) {
      lanes.delete(lane);
      lane.connection?.release();
    }
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const free = laneFor(next.statement);
      if (free === undefined) return;
      waiting.shift();
      next.resolve(free);
    }
  }

  return {
    run,
    get waiting() {
      return waiting.length;
    },
  };
}

interface Statement {
  /** Since it was last slow. */
  quickRuns: number;
}

interface Lane<Answer> {
  readonly connecting: Promise<ReadConnection<Answer>>;
  connection?: ReadConnection<Answer>;
  readonly since: number;
  underWay: number;
  /** Whether another statement may be sent behind those that are under way. */
  isShared: boolean;
  answeredAt: number;
}

interface Waiter<Answer> {
  readonly statement: Statement;
  resolve(lane: Lane<Answer>): void;
}

function isQuick({ quickRuns }: Statement): boolean {
  return quickRuns >= QUICK_RUNS_MIN;
}

function take(lane: Lane<unknown>, statement: Statement): void {
  lane.underWay++;
  if (!isQuick(statement)) lane.isShared = false;
}

export function databaseBusy(cause?: unknown): AppError {
  return new AppError('overloaded', 'The database is busy. Try again in a moment.', {
    cause,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

const SELECT = /^\s*(?:select|with)\b/i;
