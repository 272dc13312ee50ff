/**
 * Each statement travels with another one before it, which sets what is to hold for this transaction only: the role and
 * the organisation (tenant-isolation), one plan for all values (prepared-statements), and on a replica the question
 * whether it has replayed as far as the reader needs (read-write-split). Both go out together and before one Sync, so
 * they are one transaction and one round trip; BEGIN sent this way keeps the settings until COMMIT.
 */
import type { QueryResult } from 'pg';
import { PgQuery, type ProtocolConnection, type Statement } from './pg-internals.ts';
import { roleOf, type Scope } from './tenant-isolation.ts';

export interface Terms {
  readonly scope: Scope;
  /** Answer only when this position of the primary's log is replayed; else NotReplayedError. Makes sense on a replica. */
  readonly position?: string | null | undefined;
}

/** The server that answered has not replayed the position that was asked for, or is not a replica any more. */
export class NotReplayedError extends Error {
  override name = 'NotReplayedError';
}

/** Named, so that it is parsed once per connection: `SCOPE_PREPARATION` is sent when a connection opens. */
const SCOPE_STATEMENT = {
  name: 'scope',
  text: `select set_config('role', $1, true), set_config('app.org', $2, true), set_config('plan_cache_mode', 'force_generic_plan', true),
    $3::pg_lsn is null or coalesce(pg_is_in_recovery() and pg_last_wal_replay_lsn() >= $3::pg_lsn, false)`,
};

export const SCOPE_PREPARATION = { ...SCOPE_STATEMENT, values: ['none', '', null] };

function scopeValues({ scope, position = null }: Terms): (string | null)[] {
  const { role, organisation } = roleOf(scope);
  return [role, organisation, position];
}

/** A statement with its scope before it. The scope's own messages come first and end with its CommandComplete. */
export class ScopedQuery extends PgQuery {
  readonly #terms: Terms;
  readonly #values: (string | null)[];
  #scoped = false;
  #replayed = true;

  constructor(
    statement: Omit<Statement, 'queryMode'>,
    terms: Terms,
    answer: (error: Error | null, result: QueryResult) => void,
  ) {
    super({ ...statement, queryMode: 'extended' }, answer);
    this.#terms = terms;
    this.#values = scopeValues(terms);
  }

  override submit(connection: ProtocolConnection): Error | null {
    // All messages as one chunk: each one of its own costs node more than the message itself.
    const messages: Buffer[] = [];
    const collector: ProtocolConnection['stream'] = { writable: true, write: (bytes) => messages.push(bytes) };
    const wire: ProtocolConnection = Object.create(connection, { stream: { value: collector } });
    wire.bind({ statement: SCOPE_STATEMENT.name, values: this.#values });
    wire.execute({});
    const fault = super.submit(wire);
    if (fault === null && connection.stream.writable) connection.stream.write(Buffer.concat(messages));
    return fault;
  }

  override handleDataRow(message: { fields: (string | null)[] }): void {
    if (this.#scoped) super.handleDataRow(message);
    else this.#replayed = message.fields[3] === 't';
  }

  override handleCommandComplete(message: unknown, connection: ProtocolConnection): void {
    if (this.#scoped) super.handleCommandComplete(message, connection);
    else this.#scoped = true;
  }

  override handleReadyForQuery(connection: ProtocolConnection): void {
    if (this.#replayed) super.handleReadyForQuery(connection);
    else this.handleError(new NotReplayedError(`${this.#terms.position} is not replayed there`), connection);
  }
}
