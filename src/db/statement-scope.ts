/**
 * Each statement is preceded by another one, which sets, for this transaction only, the role and the organisation
 * (tenant-isolation) and one plan for all values (prepared-statements), and on a replica checks whether it has replayed
 * as far as the reader needs (read-write-split). Both are sent together before one Sync, so they are one transaction
 * and one round trip. After a BEGIN sent this way, the settings last until COMMIT.
 */
import type { QueryResult } from 'pg';
import { REPLAY_TIMELINE } from './failover-position.ts';
import { PgQuery, type ProtocolConnection, type Statement } from './pg-internals.ts';
import { roleOf, type Scope } from './tenant-isolation.ts';

export interface Terms {
  readonly scope: Scope;
  /** For a replica: throws NotReplayedError unless it has replayed this position of the primary's log. */
  readonly position?: string | null | undefined;
}

/** The server that answered has not replayed the requested position, or is no longer a replica. */
export class NotReplayedError extends Error {
  override name = 'NotReplayedError';
}

/** Named, so that it is parsed only once per connection: `SCOPE_PREPARATION` is sent when a connection opens. */
const SCOPE_STATEMENT = {
  name: 'scope',
  // The position first: as the role that is taken after it, the server would not say where it is.
  text: `select $3::text is null or coalesce(pg_is_in_recovery()
      and (${REPLAY_TIMELINE}, pg_last_wal_replay_lsn()) >= (split_part($3, ':', 1)::bigint, split_part($3, ':', 2)::pg_lsn), false),
    set_config('role', $1, true), set_config('app.org', $2, true), set_config('plan_cache_mode', 'force_generic_plan', true)`,
};

export const SCOPE_PREPARATION = { ...SCOPE_STATEMENT, values: ['none', '', null] };

function scopeValues({ scope, position = null }: Terms): (string | null)[] {
  const { role, organisation } = roleOf(scope);
  return [role, organisation, position];
}

/** Under what a statement is asked for. */
export interface Circumstances {
  readonly terms: Terms | undefined;
  /** Then the scope set at its BEGIN still applies. */
  readonly isInTransaction: boolean;
  /** Why it must not be sent any more, now that its turn has come. */
  fault(): Error | undefined;
}

/** A statement preceded by its scope. The responses to the scope come first and end with its CommandComplete. */
export class ScopedQuery extends PgQuery {
  readonly terms: Terms | undefined;
  readonly #fault: () => Error | undefined;
  readonly #values: (string | null)[];
  #scoped: boolean;
  #replayed = true;

  constructor(
    statement: Statement,
    { terms, isInTransaction, fault }: Circumstances,
    answer: (error: Error | null, result: QueryResult) => void,
  ) {
    super(statement.text, statement.values, answer);
    // Not given as an object, which pg copies property by property: for a short answer that is most of its own time.
    this.name = statement.name;
    this.queryMode = 'extended';
    this.terms = terms;
    this.#fault = fault;
    this.#scoped = isInTransaction || terms === undefined;
    this.#values = isInTransaction || terms === undefined ? [] : scopeValues(terms);
  }

  override submit(connection: ProtocolConnection): Error | null {
    const late = this.#fault();
    if (late !== undefined) return late;
    // The one ahead that is parsing it may fail before that: then the name would mean nothing.
    if (this.name !== undefined && this.name in connection.submittedNamedStatements) this.name = undefined;
    if (this.#scoped) return super.submit(connection);
    // All messages in one chunk: a separate write costs Node more than the message itself.
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
    else this.#replayed = message.fields[0] === 't';
  }

  override handleCommandComplete(message: unknown, connection: ProtocolConnection): void {
    if (this.#scoped) super.handleCommandComplete(message, connection);
    else this.#scoped = true;
  }

  /** Its table may be one that the server has not replayed either. */
  override handleError(error: Error, connection: ProtocolConnection): void {
    super.handleError(this.#replayed ? error : this.#notReplayed(error), connection);
  }

  override handleReadyForQuery(connection: ProtocolConnection): void {
    if (this.#replayed) super.handleReadyForQuery(connection);
    else super.handleError(this.#notReplayed(), connection);
  }

  #notReplayed(cause?: Error): NotReplayedError {
    return new NotReplayedError(`${this.terms?.position} has not been replayed on this server`, { cause });
  }
}
