/**
 * What it is: a row is taken for a limited time, and each taking has a number under which alone its outcome counts.
 * What fails without it: a worker that dies keeps its rows for ever. With a lease alone, one that was only stopped
 *   (SIGSTOP, a long garbage collection, a database that hung) wakes up after its lease and overwrites the outcome of
 *   the worker that has the row now.
 * How it works: `leased` ends the lease `ms` from now, by the clock of the database, and counts `claim` up; the taker
 *   keeps that number, the fencing token. Whoever writes adds `isStillHeld`: a row that was taken again has another
 *   number, and is left alone. What takes longer extends its lease under the same condition.
 * What it costs: an integer per row, and one comparison per write. The work itself can be done twice, and must bear it.
 * Its bound: the lease, named in a limits.ts. Its proof: test/db/lease-and-fencing.test.ts,
 *   bench/patterns/lease-and-fencing.
 */
import { type RawBuilder, sql } from 'kysely';

/** For `set`: the next claim of the row of the table or alias `row`, for `ms`. The lease ends at `due_at`. */
export function leased(row: string, ms: number): RawBuilder<unknown> {
  return sql`claim = ${sql.ref(row)}.claim + 1, due_at = ${leaseEnd(ms)}`;
}

/** For `due_at`, also to extend a lease. */
export function leaseEnd(ms: number): RawBuilder<string> {
  return sql<string>`now() + make_interval(secs => ${sql.lit(ms / 1_000)})`;
}

/** For `where`: nobody has taken the row of `row` since the claim of the same row in `given`. */
export function isStillHeld(row: string, given: string): RawBuilder<boolean> {
  return sql<boolean>`${sql.ref(row)}.id = ${sql.ref(given)}.id and ${sql.ref(row)}.claim = ${sql.ref(given)}.claim`;
}
