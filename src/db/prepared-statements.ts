/**
 * What it is: each statement is named after its text, so that PostgreSQL parses it once per connection and keeps its
 *   plan; a frequent statement is also built only once, in our own process.
 * What fails without it: kysely sends unnamed statements, which PostgreSQL parses and plans again each time, for about
 *   five times the CPU time (bench/results/patterns.json), and builds the same text again for every request.
 * How it works: the name is a digest of the text, so the same text has the same name in every process and behind
 *   PgBouncer (1.21 or later, max_prepared_statements above 0), which maps the names itself. PostgreSQL keeps one
 *   plan for all values (tenant-isolation sets that): it is the plan that the query-plan guard checks. What was built
 *   once goes to the replica's connections past kysely, whose layers would take longer than they do.
 * What it costs: a few KB per statement and connection in PostgreSQL; a generic plan, so every condition must be able
 *   to use its index for any value: `^@`, whose range depends on the value, has no index path here.
 * Its bound: PREPARED_STATEMENTS_MAX; later texts stay unnamed.
 * Its proof: test/db/prepared-statements.test.ts, bench/patterns/prepared-statements.
 */
import { createHash } from 'node:crypto';
import {
  type Compilable,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely';
import { PREPARED_STATEMENTS_MAX } from '../limits.ts';
import type { Db, Schema } from './schema.ts';

/** Names for one connection's statements; undefined for a new text once PREPARED_STATEMENTS_MAX names are in use. */
export function createStatementNames(): (text: string) => string | undefined {
  const names = new Map<string, string>();
  return (text) => {
    const known = names.get(text);
    if (known !== undefined || names.size >= PREPARED_STATEMENTS_MAX) return known;
    const name = createHash('sha1').update(text).digest('base64url');
    names.set(text, name);
    return name;
  };
}

/**
 * A query that is built once and bound to its values at each call. `build` is called once, with a placeholder for each
 * value: it can use them wherever a single value belongs (not a list), and must not inspect them.
 */
export function prepareQuery<Values extends Readonly<Record<string, string | number>>, Row>(
  build: (db: Db, values: Values) => Compilable<Row>,
): (db: Db, values: Values) => Promise<Row[]> {
  const standIns = new Proxy({} as Values, { get: (_values, name) => new StandIn(String(name)) });
  const compiled = build(BLUEPRINT, standIns).compile();
  return async (db, values) => {
    const parameters = compiled.parameters.map((value) => (value instanceof StandIn ? values[value.name] : value));
    return (await db.executeQuery<Row>({ ...compiled, parameters })).rows;
  };
}

class StandIn {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Only compiles, never connects. */
const BLUEPRINT = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});
