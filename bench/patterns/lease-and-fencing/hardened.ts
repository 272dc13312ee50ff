import { sql } from 'kysely';
import { givenRows } from '../../../src/db/batch-write.ts';
import { isStillHeld, leased } from '../../../src/db/lease-and-fencing.ts';
import type { Db } from '../../../src/db/schema.ts';
import { type Claim, LEASE_MS, type Outcome } from './case.ts';

/** Takes what waits, and what somebody has had for longer than the lease, under a number of its own. */
export async function take(db: Db, rows: number): Promise<Claim[]> {
  const { rows: taken } = await sql<Claim>`
    update tasks as t set status = 'taken', ${leased('t', LEASE_MS)}
    where id in (
      select id from tasks where status in ('waiting', 'taken') and due_at <= now() order by id limit ${rows} for update skip locked
    )
    returning id, claim`.execute(db);
  return taken;
}

/** The outcome of a claim that somebody has taken over since is not recorded. */
export async function record(db: Db, outcomes: readonly Outcome[]): Promise<void> {
  await sql`
    update tasks as t set status = 'finished', outcome = given.outcome
    from ${givenRows(outcomes, { id: 'integer', claim: 'integer', outcome: 'text' })}
    where ${isStillHeld('t', 'given')}`.execute(db);
}
