/**
 * What it is: many rows written in one statement, through unnest of one array per column; and many rows changed in one
 *   statement, each finding its own values by its key.
 * What fails without it: one round trip and one plan per row; and beyond 65,535 parameters a VALUES list fails.
 *   `update t … from unnest(…) as given where t.org_id = $1 and t.id = given.id` is planned for any organisation, and
 *   where PostgreSQL expects one row of it, each row of the table is compared with each given one: 490 rows took 140 ms
 *   instead of 5, and 460 ms in an organisation that the statistics did not know.
 * How it works: the text is the same for any number of rows, so it is planned once; rows go in sorted by key, so that
 *   two writers of the same rows wait for each other. Of 200 unsorted batches deadlocks lose dozens (lock-order in bench/results/patterns.json).
 *   An update has no join that could be planned badly: the rows are found by `id = any(keys)`, and each looks its
 *   values up in one JSON object, by its key.
 *   COPY is not used: it cannot write to a table with Row-Level Security, and through a temporary table it was no
 *   faster.
 * What it costs: the batch in memory. Its bound: the caller's number of rows, named in a limits.ts.
 * Its proof: test/db/batch-write.test.ts, bench/patterns/batch-write, bench/patterns/lock-order.
 */
import { type RawBuilder, sql } from 'kysely';

type ColumnType = 'text' | 'bigint' | 'integer' | 'double precision' | 'boolean' | 'timestamptz';

/**
 * A table expression `unnest(…) as given (a, b, …)` of `rows`, sorted by the first column.
 * `columns` maps the column names, which come from code and never from input, to their PostgreSQL types.
 */
export function givenRows<R extends Readonly<Record<string, unknown>>>(
  rows: readonly R[],
  columns: { readonly [K in keyof R]: ColumnType },
): RawBuilder<unknown> {
  const names = Object.keys(columns);
  const key = names[0] as string;
  const sorted = rows.toSorted((a, b) => compare(a[key], b[key]));
  const arrays = names.map((name) => sql`${sorted.map((row) => row[name])}::${sql.raw(`${columns[name]}[]`)}`);
  return sql`unnest(${sql.join(arrays)}) as given (${sql.join(names.map((name) => sql.ref(name)))})`;
}

/**
 * For an update: `keys` is the array of the first column's values, `of(key)` a table expression `… as given (b, c, …)` of
 * the one row with that key.
 *
 *   update t set (b, c) = (select given.b, given.c from ${changes.of(sql`t.id`)})
 *   where t.org_id = $1 and t.id = any(${changes.keys})
 */
export function givenByKey<R extends Readonly<Record<string, unknown>>>(
  rows: readonly R[],
  columns: { readonly [K in keyof R]: ColumnType },
): { readonly keys: RawBuilder<unknown>; of(key: RawBuilder<unknown>): RawBuilder<unknown> } {
  const [key = '', ...names] = Object.keys(columns);
  const byKey = JSON.stringify(Object.fromEntries(rows.map((row) => [row[key], row])));
  const typed = names.map((name) => sql`${sql.ref(name)} ${sql.raw(columns[name] as string)}`);
  return {
    keys: sql`${rows.map((row) => row[key])}::${sql.raw(`${columns[key]}[]`)}`,
    of: (key) => sql`jsonb_to_record(${byKey}::jsonb -> (${key})::text) as given (${sql.join(typed)})`,
  };
}

function compare(a: unknown, b: unknown): number {
  return (a as string) < (b as string) ? -1 : (a as string) > (b as string) ? 1 : 0;
}
