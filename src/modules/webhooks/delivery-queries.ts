/** What a mailer asks and writes while it delivers. */
import { type RawBuilder, sql } from 'kysely';
import { leased, leaseEnd } from '../../db/lease-and-fencing.ts';
import type { Db } from '../../db/schema.ts';
import { WEBHOOK_LEASE_MS } from './limits.ts';

export interface ClaimedEndpoint {
  readonly orgId: number;
  readonly id: number;
  readonly url: string;
  readonly sealedSecret: Buffer;
  /** Null unless it still signs. */
  readonly previousSealedSecret: Buffer | null;
  readonly failures: number;
  readonly isSlow: boolean;
  /** The fencing token. */
  readonly claim: number;
}

/** Endpoints of any organisation that are due, for WEBHOOK_LEASE_MS. A lease is what `due_at` says meanwhile. */
export async function claimEndpoints(
  db: Db,
  places: { readonly fast: number; readonly slow: number },
): Promise<ClaimedEndpoint[]> {
  const longestDue = (isSlow: boolean, limit: number) => sql`
    select org_id, id from webhook_endpoints
    where is_slow = ${sql.lit(isSlow)} and due_at <= now() order by due_at limit ${limit} for update skip locked`;
  const { rows } = await sql<ClaimedEndpoint>`
    with fast as (${longestDue(false, places.fast)}), slow as (${longestDue(true, places.slow)})
    update webhook_endpoints as e set ${leased('e', WEBHOOK_LEASE_MS)}, leased_until = ${leaseEnd(WEBHOOK_LEASE_MS)}
    where (e.org_id, e.id) in (select org_id, id from fast union all select org_id, id from slow)
    returning e.org_id as "orgId", e.id, e.url, e.sealed_secret as "sealedSecret", e.failures, e.claim,
      e.is_slow as "isSlow", case when e.previous_until > now() then e.previous_sealed_secret end as "previousSealedSecret"`.execute(
    db,
  );
  return rows;
}

export interface DueDelivery {
  readonly id: number;
  readonly messageId: string;
  readonly body: string;
  readonly attempts: number;
}

/** The longest due first; of an endpoint that fails, the latest, which its people may be waiting for. */
export function dueDeliveries(
  db: Db,
  { orgId, id }: { readonly orgId: number; readonly id: number },
  { order, limit }: { readonly order: 'asc' | 'desc'; readonly limit: number },
): Promise<DueDelivery[]> {
  return db
    .selectFrom('webhook_deliveries')
    .where('org_id', '=', orgId)
    .where('endpoint_id', '=', id)
    .where('due_at', '<=', sql<string>`now()`)
    .select(['id', 'message_id as messageId', 'body', 'attempts'])
    .orderBy('due_at', order)
    .orderBy('id', order)
    .limit(limit)
    .execute();
}

export interface Attempt {
  readonly status: 'waiting' | 'delivered' | 'dead';
  readonly retryMs: number | null;
  readonly lastStatus: number | null;
  readonly lastMs: number;
  readonly lastError: string | null;
}

/** Without effect when the delivery was settled, or replayed, in the meantime. */
export async function recordAttempt(
  db: Db,
  orgId: number,
  { id, attempts }: Pick<DueDelivery, 'id' | 'attempts'>,
  { status, retryMs, lastStatus, lastMs, lastError }: Attempt,
): Promise<void> {
  await db
    .updateTable('webhook_deliveries')
    .set({
      status,
      attempts: attempts + 1,
      due_at: retryMs === null ? null : inMs(retryMs),
      last_attempt_at: sql`now()`,
      last_status: lastStatus,
      last_ms: lastMs,
      last_error: lastError,
    })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('due_at', 'is not', null)
    .where('attempts', '=', attempts)
    .execute();
}

export interface LockedEndpoint {
  readonly url: string;
  readonly failures: number;
  readonly failingForMs: number;
}

/** Undefined when somebody else has it by now, or has changed it. */
export async function lockClaimed(
  transaction: Db,
  { orgId, id, claim }: Pick<ClaimedEndpoint, 'orgId' | 'id' | 'claim'>,
): Promise<LockedEndpoint | undefined> {
  return transaction
    .selectFrom('webhook_endpoints')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('claim', '=', claim)
    .select([
      'url',
      'failures',
      sql<number>`coalesce(extract(epoch from now() - failing_since)::float8 * 1000, 0)`.as('failingForMs'),
    ])
    .forUpdate()
    .executeTakeFirst();
}

export interface Health {
  readonly failures: number;
  /** Whether a call has succeeded in the turn: what failed before it does not count any more. */
  readonly hasRecovered: boolean;
  readonly holdMs: number | undefined;
  readonly isSlow: boolean;
}

/** Gives the endpoint back. Call it after lockClaimed: only then does it see every delivery that is due. */
export async function releaseEndpoint(
  transaction: Db,
  { orgId, id }: Pick<ClaimedEndpoint, 'orgId' | 'id'>,
  { failures, hasRecovered, holdMs, isSlow }: Health,
): Promise<void> {
  const nextDue = sql<string>`(
    select min(due_at) from webhook_deliveries where org_id = ${orgId} and endpoint_id = ${id} and due_at is not null
  )`;
  const heldUntil = holdMs === undefined ? sql<null>`null::timestamptz` : inMs(holdMs);
  await transaction
    .updateTable('webhook_endpoints')
    .set({
      failures,
      failing_since: failures === 0 ? null : hasRecovered ? sql`now()` : sql`coalesce(failing_since, now())`,
      held_until: heldUntil,
      is_slow: isSlow,
      leased_until: null,
      // Behind all that are due by now: an old backlog does not come first again and again.
      due_at: sql`case when ${nextDue} is not null then greatest(${nextDue}, ${heldUntil}, now()) end`,
      previous_sealed_secret: sql`case when previous_until > now() then previous_sealed_secret end`,
      previous_until: sql`case when previous_until > now() then previous_until end`,
    })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .execute();
}

function inMs(ms: number): RawBuilder<string> {
  return sql<string>`now() + make_interval(secs => ${ms / 1_000}::float8)`;
}
