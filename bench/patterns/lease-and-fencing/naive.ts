import { sql } from 'kysely';
import { givenRows } from '../../../src/db/batch-write.ts';
import type { Db } from '../../../src/db/schema.ts';
import { type Claim, LEASE_MS, type Outcome } from './case.ts';

/** Takes what waits, and what somebody has had for longer than the lease. */
export async function take(db: Db, rows: number): Promise<Claim[]> {
  const { rows: taken } = await sql<Claim>`
    update tasks as t set status = 'taken', due_at = now() + make_interval(secs => ${LEASE_MS / 1_000})
    where id in (
      select id from tasks where status in ('waiting', 'taken') and due_at <= now() order by id limit ${rows} for update skip locked
    )
    returning id, 0 as claim`.execute(db);
  return taken;
}

/** A task that is finished stays finished, unless the one that was thought dead reports as well. */
export async function record(db: Db, outcomes: readonly Outcome[]): Promise<void> {
  await sql`
    update tasks as t set status = 'finished', outcome = given.outcome
    from ${givenRows(outcomes, { id: 'integer', claim: 'integer', outcome: 'text' })}
    where t.id = given.id`.execute(db);
}
