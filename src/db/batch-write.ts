/**
 * What it is: many rows written in one statement, through unnest of one array per column.
 * What fails without it: one round trip and one plan per row; and beyond 65,535 parameters a VALUES list fails.
 * How it works: the text is the same for any number of rows, so it is planned once; rows go in sorted by key, so that
 *   two writers of the same rows wait for each other. Of 200 unsorted batches deadlocks lose dozens (lock-order in bench/results/patterns.json).
 *   COPY is not used: it cannot write to a table with Row-Level Security, and through a temporary table it was no
 *   faster.
 * What it costs: the batch in memory. Its bound: the caller's number of rows, named in a limits.ts.
 * Its proof: test/db/batch-write.test.ts, bench/patterns/batch-write, bench/patterns/lock-order.
 */
import { type RawBuilder, sql } from 'kysely';

type ColumnType = 'text' | 'bigint' | 'integer' | 'real' | 'boolean' | 'timestamptz';

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

function compare(a: unknown, b: unknown): number {
  return (a as string) < (b as string) ? -1 : (a as string) > (b as string) ? 1 : 0;
}
