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
  readonly position?: string | undefined;
}

/** The server that answered has not replayed the requested position, or is no longer a replica. */
export class NotReplayedError extends Error {
  override name = 'NotReplayedError';
}

const SETTINGS = `set_config('role', $1, true), set_config('app.org', $2, true), set_config('plan_cache_mode', 'force_generic_plan', true)`;

/** Named, so that it is parsed only once per connection: its preparation is sent when a connection opens. */
const SCOPE = { name: 'scope', text: `select ${SETTINGS}` };

/** A statement of its own: PostgreSQL takes 8 µs to set the check up, even where it is not run. */
const SCOPE_AT_POSITION = {
  name: 'scope at a position',
  // The position first: as the role that is taken after it, the server would not say where it is.
  text: `select coalesce(pg_is_in_recovery()
      and (${REPLAY_TIMELINE}, pg_last_wal_replay_lsn()) >= (split_part($3, ':', 1)::bigint, split_part($3, ':', 2)::pg_lsn), false),
    ${SETTINGS}`,
};

export const SCOPE_PREPARATION = { ...SCOPE, values: ['none', ''] };
/** Of a replica's connections. */
export const POSITION_PREPARATION = { ...SCOPE_AT_POSITION, values: ['none', '', null] };

interface BoundScope {
  readonly statement: string;
  readonly values: string[];
}

function boundScope({ scope, position }: Terms): BoundScope {
  const { role, organisation } = roleOf(scope);
  return position === undefined
    ? { statement: SCOPE.name, values: [role, organisation] }
    : { statement: SCOPE_AT_POSITION.name, values: [role, organisation, position] };
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
  /** The statement that sets the scope, until it has been answered; undefined within a transaction. */
  #scope: BoundScope | undefined;
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
    this.#scope = isInTransaction || terms === undefined ? undefined : boundScope(terms);
  }

  override submit(connection: ProtocolConnection): Error | null {
    const late = this.#fault();
    if (late !== undefined) return late;
    // The one ahead that is parsing it may fail before that: then the name would mean nothing.
    if (this.name !== undefined && this.name in connection.submittedNamedStatements) this.name = undefined;
    if (this.#scope === undefined) return super.submit(connection);
    // All messages in one chunk: a separate write costs Node more than the message itself.
    const messages: Buffer[] = [];
    const collector: ProtocolConnection['stream'] = { writable: true, write: (bytes) => messages.push(bytes) };
    const wire: ProtocolConnection = Object.create(connection, { stream: { value: collector } });
    wire.bind(this.#scope);
    wire.execute({});
    const fault = super.submit(wire);
    if (fault === null && connection.stream.writable) connection.stream.write(Buffer.concat(messages));
    return fault;
  }

  override handleDataRow(message: { fields: (string | null)[] }): void {
    if (this.#scope === undefined) super.handleDataRow(message);
    else if (this.terms?.position !== undefined) this.#replayed = message.fields[0] === 't';
  }

  override handleCommandComplete(message: unknown, connection: ProtocolConnection): void {
    if (this.#scope === undefined) super.handleCommandComplete(message, connection);
    else this.#scope = undefined;
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
