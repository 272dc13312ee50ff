/**
 * What it is: every statement runs as a role that sees the rows of one organisation, whatever its WHERE says.
 * What fails without it: one query that forgets `org_id = …` shows a customer another customer's data.
 * How it works: Row-Level Security is forced on every table (migrations/0002). The login role has no right of its own;
 *   a statement travels with another one before it, which sets role and organisation for this transaction only. Both go
 *   out together and before one Sync, so they are one transaction and one round trip; BEGIN sent this way keeps them
 *   until COMMIT. Nothing is left on the connection for whoever comes next, be it through PgBouncer. Fails closed:
 *   without a scope PostgreSQL answers "permission denied", without an organisation it answers with an error.
 *   On a replica the same statement says whether it has replayed as far as the reader needs: see read-write-split.
 * What it costs: 1.2 times the time of a page of 50 rows, 1.4 times that of a single row (bench/results/patterns.json).
 * Its proof: test/db/tenant-isolation.test.ts, bench/patterns/tenant-isolation.
 */
import { Query, type QueryResult } from 'pg';

/** Whose rows: one organisation's, by its id. */
export type Scope = number | typeof EVERY_ORGANISATION;

/** For what comes before the organisation is known (sign-in) and for the jobs that look after all of them. */
export const EVERY_ORGANISATION = 'every organisation';

export interface Terms {
  readonly scope: Scope;
  /** Answer only when this position of the primary's log is replayed; else NotReplayedError. Makes sense on a replica. */
  readonly position?: string | null | undefined;
}

/** The server that answered has not replayed the position that was asked for; or it is no replica any more. */
export class NotReplayedError extends Error {
  override name = 'NotReplayedError';
}

const ROLE = { tenant: 'tardigrade_tenant', system: 'tardigrade_system' } as const;

/** Prepared once per connection, by openPool. */
export const SCOPE_STATEMENT = {
  name: 'scope',
  text: `select set_config('role', $1, true), set_config('app.org', $2, true), set_config('plan_cache_mode', 'force_generic_plan', true),
    $3::pg_lsn is null or coalesce(pg_is_in_recovery() and pg_last_wal_replay_lsn() >= $3::pg_lsn, false)`,
};

function scopeValues({ scope, position = null }: Terms): (string | null)[] {
  if (scope === EVERY_ORGANISATION) return [ROLE.system, '', position];
  if (!Number.isSafeInteger(scope)) throw new TypeError(`An organisation is a whole number, not ${scope}`);
  return [ROLE.tenant, String(scope), position];
}

/** What pg's Query does with the protocol's messages; its types do not say. */
interface ProtocolQuery {
  submit(connection: Wire): Error | null;
  handleDataRow(message: { fields: (string | null)[] }): void;
  handleCommandComplete(message: unknown, connection: Wire): void;
  handleReadyForQuery(connection: Wire): void;
  handleError(error: Error, connection: Wire): void;
}

interface Wire {
  readonly stream: { readonly writable: boolean; write(bytes: Buffer): unknown };
  bind(message: { statement: string; values: (string | null)[] }): void;
  execute(message: object): void;
}

type Answer = (error: Error | null, result: QueryResult) => void;
type Statement = { name: string | undefined; text: string; values: unknown[]; queryMode: 'extended' };

const PgQuery = Query as unknown as new (statement: Statement, answer: Answer) => ProtocolQuery;

/** A statement with its scope before it. The scope's own messages come first and end with its CommandComplete. */
export class ScopedQuery extends PgQuery {
  readonly #terms: Terms;
  readonly #values: (string | null)[];
  #scoped = false;
  #replayed = true;

  constructor(statement: Omit<Statement, 'queryMode'>, terms: Terms, answer: Answer) {
    super({ ...statement, queryMode: 'extended' }, answer);
    this.#terms = terms;
    this.#values = scopeValues(terms);
  }

  override submit(connection: Wire): Error | null {
    // All messages as one chunk: each one of its own costs node more than the message itself.
    const messages: Buffer[] = [];
    const collector: Wire['stream'] = { writable: true, write: (bytes) => messages.push(bytes) };
    const wire: Wire = Object.create(connection, { stream: { value: collector } });
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

  override handleCommandComplete(message: unknown, connection: Wire): void {
    if (this.#scoped) super.handleCommandComplete(message, connection);
    else this.#scoped = true;
  }

  override handleReadyForQuery(connection: Wire): void {
    if (this.#replayed) super.handleReadyForQuery(connection);
    else this.handleError(new NotReplayedError(`${this.#terms.position} is not replayed there`), connection);
  }
}
