/**
 * A connection of the pool, lent to one holder at a time, or shared by reads. It names its statements, sends each with its holder's scope,
 * and does not wait forever for an answer. Whether a statement needs its scope depends on whether a transaction is open,
 * so nobody hears of an error before the server has said what the error has left of the transaction; a connection whose
 * holder leaves a transaction open is closed instead of lent again; and a holder who asks for something after giving it
 * back is refused, because by then it can be within the transaction of somebody else.
 */
import { Client, type ClientConfig, type PoolClient, type QueryResult } from 'pg';
import { QUERY_ANSWER_MS } from '../limits.ts';
import { inSpanOfTrace, isMeasuring, type SpanStart } from '../trace.ts';
import { endConnection, isAtRest, isIdle, toWireValue, whenReady } from './pg-internals.ts';
import type { ReadConnection } from './pipelined-reads.ts';
import { createStatementNames } from './prepared-statements.ts';
import { ScopedQuery, type Terms } from './statement-scope.ts';

/** What kysely uses of a client that it got from the pool. */
export interface LentConnection {
  query(text: string, values: unknown[]): Promise<QueryResult>;
  release(broken?: boolean | Error): void;
}

/** `client` has just been taken from the pool; `terms` apply until it is given back. */
export function lend(client: PoolClient, terms: Terms | undefined): LentConnection {
  const connection = client as unknown as Connection;
  const holder = { terms, hasLeft: false };
  return {
    query: (text, values) => connection.ask(text, values, holder),
    release(broken) {
      holder.hasLeft = true;
      client.release(broken || !isAtRest(connection));
    },
  };
}

/** `client` has just been taken from the pool, for statements of many that are not in a transaction (pipelined-reads). */
export function share(client: PoolClient): ReadConnection<QueryResult> {
  const connection = client as unknown as Connection;
  return {
    ask: (terms, text, values) => connection.ask(text, values, { terms, hasLeft: false }),
    release: () => client.release(!isAtRest(connection)),
  };
}

/** The statement was not sent. */
export class LateStatementError extends Error {
  override name = 'LateStatementError';
}

interface Holder {
  readonly terms: Terms | undefined;
  readonly hasLeft: boolean;
}

export class Connection extends Client {
  readonly #nameOf = createStatementNames();
  /** Whether the statement under way has stopped waiting for the synchronous replica. */
  #onlyHere = false;
  #unanswered = 0;
  #silence: NodeJS.Timeout | undefined;

  constructor(config?: string | ClientConfig) {
    super(config);
    this.on('notice', ({ routine }) => {
      if (routine === 'SyncRepWaitForLSN') this.#onlyHere = true;
    });
  }

  ask(text: string, values: unknown[], holder: Holder): Promise<QueryResult> {
    if (!isMeasuring()) return this.#send(text, values, holder);
    return inSpanOfTrace(spanOf(text), () => this.#send(text, values, holder));
  }

  #send(text: string, values: unknown[], holder: Holder): Promise<QueryResult> {
    return new Promise((resolve, reject) => {
      const settle = (error: Error | null, result: QueryResult) => {
        this.#hearAnswer();
        if (error) reject(error);
        else if (this.#onlyHere) reject(this.#endUnconfirmed());
        else resolve(result);
      };
      const isInTransaction = !isIdle(this);
      const query = new ScopedQuery(
        { name: this.#nameOf(text), text, values: values.map(toWireValue) },
        { terms: holder.terms, isInTransaction, fault: () => this.#faultOf(holder, isInTransaction) },
        (error, result) => whenReady(this, error, () => settle(error, result)),
      );
      this.#expectAnswer();
      super.query(query as never);
    });
  }

  /** From one answer to the next: a statement that waits for those before it does not wait for a silent server. */
  #expectAnswer(): void {
    this.#unanswered++;
    this.#silence ??= setTimeout(() => endConnection(this, 'no answer within QUERY_ANSWER_MS'), QUERY_ANSWER_MS);
  }

  #hearAnswer(): void {
    this.#unanswered--;
    if (this.#unanswered > 0) return void this.#silence?.refresh();
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }

  /** Asked again when its turn has come: statements that were before it may have ended the transaction. */
  #faultOf(holder: Holder, isInTransaction: boolean): Error | undefined {
    if (!holder.hasLeft && isInTransaction === !isIdle(this)) return undefined;
    return new LateStatementError('The connection was given back, or the transaction ended, before this was sent');
  }

  /**
   * A commit that waits for a replica which is gone is cancelled by statement_timeout, and PostgreSQL then answers that
   * it is committed: here, but not there. After a failover it would be lost, so it counts as a commit without an answer.
   */
  #endUnconfirmed(): Error {
    const reason = 'Connection terminated: the replica has not confirmed the commit';
    endConnection(this, reason);
    return new Error(reason);
  }
}

/** Parameters are not in it, only their places. */
function spanOf(text: string): SpanStart {
  const attributes = { 'db.system.name': 'postgresql', 'db.query.text': text };
  return { name: `postgresql ${/\w+/.exec(text)?.[0] ?? ''}`, kind: 'client', attributes };
}
