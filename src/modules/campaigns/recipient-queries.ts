import { type Selectable, sql } from 'kysely';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import type { Db, Schema } from '../../db/schema.ts';
import { isSuppressed, suppressedAddresses } from '../suppressions/suppressions.ts';
import { FAILURES_COUNTED_MAX, SUPPRESSED_COUNTED_MAX } from './limits.ts';

export type ReachOutStatus = Selectable<Schema['reach_outs']>['status'];
export type FailureCause = NonNullable<Selectable<Schema['reach_outs']>['cause']>;

/**
 * The number of people who would get a mail if the campaign were launched now: neither unsubscribed nor suppressed. The
 * addresses are the smaller list, so they are what is gone through; of more than SUPPRESSED_COUNTED_MAX, the rest counts as
 * recipients.
 */
export async function recipientsOf(db: Db, orgId: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select coalesce((select sum(reachable) from teams where org_id = ${orgId}), 0) - (
      select count(*) from ${suppressedAddresses(orgId, SUPPRESSED_COUNTED_MAX)} as suppressed
      join employees e on e.org_id = ${orgId} and e.email = suppressed.address and e.unsubscribed_at is null
    ) as count`.execute(db);
  return Number(rows[0]?.count ?? 0);
}

export async function reachOutsPage(
  db: Db,
  orgId: number,
  campaignId: number,
  status: ReachOutStatus | undefined,
  [afterId]: IdPlace = [0],
  rows: number,
) {
  let query = db
    .selectFrom('reach_outs')
    .innerJoin('employees', (join) =>
      join.onRef('employees.org_id', '=', 'reach_outs.org_id').onRef('employees.id', '=', 'reach_outs.employee_id'),
    )
    .where('reach_outs.org_id', '=', orgId)
    .where('reach_outs.campaign_id', '=', campaignId)
    .where('reach_outs.id', '>', afterId)
    .select([
      isSuppressed(orgId, sql`employees.email`).as('suppressed'),
      'reach_outs.id',
      'reach_outs.employee_id',
      'employees.name',
      'employees.email',
      'reach_outs.status',
      'reach_outs.attempts',
      'reach_outs.sent_at',
      'reach_outs.error',
      'reach_outs.cause',
      'reach_outs.complained_at',
    ])
    .orderBy('reach_outs.id')
    .limit(rows);
  if (status !== undefined) query = query.where('reach_outs.status', '=', status);
  return (await query.execute()).map((row) => ({
    id: row.id,
    employee: { id: row.employee_id, name: row.name, email: row.email },
    status: row.status,
    attempts: row.attempts,
    sentAt: row.sent_at,
    error: row.error,
    cause: row.cause,
    suppressed: row.suppressed,
    complainedAt: row.complained_at,
  }));
}

/** How many recipients failed, by cause, and how many of them cannot be sent to again; of all at most FAILURES_COUNTED_MAX are counted. */
export async function failuresByCause(db: Db, orgId: number, campaignId: number) {
  const { rows } = await sql<{ cause: FailureCause; count: number; suppressed: number; example: string | null }>`
    select cause, count(*), count(*) filter (where suppressed) as suppressed, max(error) as example from (
      select r.cause, r.error, ${isSuppressed(orgId, sql`e.email`)} as suppressed
      from reach_outs r join employees e on e.org_id = r.org_id and e.id = r.employee_id
      where r.org_id = ${orgId} and r.campaign_id = ${campaignId} and r.status = 'failed' limit ${FAILURES_COUNTED_MAX}
    ) as failed
    group by cause order by cause`.execute(db);
  return rows;
}

/** The addresses and names of those that a mail is about to go to. */
export async function recipientsByIds(db: Db, orgId: number, employeeIds: readonly number[]) {
  return db
    .selectFrom('employees')
    .where('org_id', '=', orgId)
    .where('id', '=', sql<number>`any(${employeeIds}::bigint[])`)
    .select(['id', 'email', 'name'])
    .limit(employeeIds.length)
    .execute();
}

export interface Failed {
  readonly cause?: FailureCause | undefined;
  readonly reachOutId?: number | undefined;
}

/** Puts up to `rows` failed recipients whose address is not suppressed back into the ledger; returns how many. */
export async function retryFailed(
  db: Db,
  orgId: number,
  campaignId: number,
  failed: Failed,
  rows: number,
): Promise<number> {
  let which = db
    .selectFrom('reach_outs')
    .where('org_id', '=', orgId)
    .where('campaign_id', '=', campaignId)
    .where('status', '=', 'failed')
    .where((q) =>
      q.not(
        q.exists(
          q
            .selectFrom('employees')
            .where('employees.org_id', '=', orgId)
            .whereRef('employees.id', '=', 'reach_outs.employee_id')
            .where(isSuppressed(orgId, sql`employees.email`))
            .select('employees.id'),
        ),
      ),
    )
    .select('id')
    .orderBy('id')
    .limit(rows)
    .forUpdate();
  if (failed.cause !== undefined) which = which.where('cause', '=', failed.cause);
  if (failed.reachOutId !== undefined) which = which.where('id', '=', failed.reachOutId);
  const picked = await which.execute();
  const { numUpdatedRows } = await db
    .updateTable('reach_outs')
    .set({
      status: 'waiting',
      due_at: sql`now()`,
      attempts: 0,
      held: 0,
      error: null,
      bounced_at: null, // it may be returned once more
      // A person who may have it already gets a copy with the same Message-ID, which is counted.
      cause: sql`case when cause = 'unconfirmed' then cause end`,
    })
    .where('org_id', '=', orgId)
    .where('id', '=', sql<number>`any(${picked.map(({ id }) => id)}::bigint[])`)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}
