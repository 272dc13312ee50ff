/** What people see and change. */
import { sql } from 'kysely';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import type { Db } from '../../db/schema.ts';
import { WEBHOOK_SECRET_OVERLAP_MS, WEBHOOKS_MAX } from './limits.ts';

/** Taken first by what adds an endpoint, so that two at once do not get past WEBHOOKS_MAX. */
export async function lockWebhooks(transaction: Db, orgId: number): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('webhooks of ' || ${orgId}::bigint, 0))`.execute(transaction);
}

const endpoint = [
  'id',
  'url',
  'description',
  'event_types as eventTypes',
  'version',
  'created_at as createdAt',
  'disabled_at as disabledAt',
  'disabled_because as disabledBecause',
  'failing_since as failingSince',
  sql<string | null>`case when held_until > now() then held_until end`.as('heldUntil'),
  sql<string | null>`case when previous_until > now() then previous_until end`.as('previousSecretUntil'),
] as const;

export type Endpoint = Awaited<ReturnType<typeof endpoints>>[number];

/** Newest first. */
export function endpoints(db: Db, orgId: number) {
  return db
    .selectFrom('webhook_endpoints')
    .where('org_id', '=', orgId)
    .select([...endpoint])
    .orderBy('id', 'desc')
    .limit(WEBHOOKS_MAX)
    .execute();
}

export function endpointById(db: Db, orgId: number, id: number) {
  return oneEndpoint(db, orgId, id).executeTakeFirst();
}

/** As it is until the transaction ends: nobody disables or deletes it meanwhile. */
export function lockEndpoint(transaction: Db, orgId: number, id: number) {
  return oneEndpoint(transaction, orgId, id).forUpdate().executeTakeFirst();
}

function oneEndpoint(db: Db, orgId: number, id: number) {
  return db
    .selectFrom('webhook_endpoints')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .select([...endpoint]);
}

export async function countEndpoints(db: Db, orgId: number): Promise<number> {
  const { count } = await db
    .selectFrom('webhook_endpoints')
    .where('org_id', '=', orgId)
    .select((q) => q.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

export interface EndpointContent {
  readonly url: string;
  readonly description: string;
  readonly eventTypes: readonly string[];
}

export function insertEndpoint(
  transaction: Db,
  orgId: number,
  { url, description, eventTypes }: EndpointContent,
  sealedSecret: Buffer,
) {
  return transaction
    .insertInto('webhook_endpoints')
    .values({ org_id: orgId, url, description, event_types: [...eventTypes], sealed_secret: sealedSecret })
    .returning([...endpoint])
    .executeTakeFirstOrThrow();
}

/** A turn that is under way learns nothing about what the endpoint is from now on. */
export async function updateEndpoint(
  transaction: Db,
  orgId: number,
  id: number,
  { eventTypes, ...change }: Partial<EndpointContent>,
): Promise<void> {
  await transaction
    .updateTable('webhook_endpoints')
    .set({
      ...change,
      ...(eventTypes === undefined ? {} : { event_types: [...eventTypes] }),
      version: sql`version + 1`,
    })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .execute();
}

/** As if it had never failed. Deliveries that wait are due at their own time, or at once if that has passed. */
export async function freshenEndpoint(transaction: Db, orgId: number, id: number): Promise<void> {
  await sql`
    update webhook_endpoints set disabled_at = null, disabled_because = null, owners_to_tell = '{}', failures = 0, failing_since = null,
      held_until = null, is_slow = false, leased_until = null, claim = claim + 1, due_at = (
        select min(due_at) from webhook_deliveries where org_id = ${orgId} and endpoint_id = ${id} and due_at is not null
      )
    where org_id = ${orgId} and id = ${id}`.execute(transaction);
}

/** A person waits for an answer: the endpoint is tried at once, although it is held. */
export async function endHold(transaction: Db, orgId: number, id: number): Promise<void> {
  await transaction
    .updateTable('webhook_endpoints')
    .set({ held_until: null })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .execute();
}

export async function rotateEndpointSecret(transaction: Db, orgId: number, id: number, sealed: Buffer): Promise<void> {
  await sql`
    update webhook_endpoints set sealed_secret = ${sealed}, previous_sealed_secret = sealed_secret,
      previous_until = now() + make_interval(secs => ${WEBHOOK_SECRET_OVERLAP_MS / 1_000}::float8), version = version + 1
    where org_id = ${orgId} and id = ${id}`.execute(transaction);
}

export function deleteEndpoint(transaction: Db, orgId: number, id: number) {
  return transaction
    .deleteFrom('webhook_endpoints')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .returning('url')
    .executeTakeFirst();
}

const delivery = [
  'id',
  'endpoint_id as endpointId',
  'message_id as messageId',
  'event_type as eventType',
  'status',
  'attempts',
  'created_at as createdAt',
  'due_at as nextAttemptAt',
  'last_attempt_at as lastAttemptAt',
  'last_status as lastStatus',
  'last_ms as lastMs',
  'last_error as lastError',
] as const;

export type DeliveryStatus = 'waiting' | 'delivered' | 'dead';

/** Newest first. */
export function deliveriesPage(
  db: Db,
  orgId: number,
  { endpointId, status }: { readonly endpointId: number; readonly status: DeliveryStatus | undefined },
  before: IdPlace | undefined,
  rows: number,
) {
  let query = db.selectFrom('webhook_deliveries').where('org_id', '=', orgId).where('endpoint_id', '=', endpointId);
  if (status !== undefined) query = query.where('status', '=', status);
  if (before !== undefined) query = query.where('id', '<', before[0]);
  return query
    .select([...delivery])
    .orderBy('id', 'desc')
    .limit(rows)
    .execute();
}

export type Delivery = NonNullable<Awaited<ReturnType<typeof deliveryById>>>;

export function deliveryById(db: Db, orgId: number, id: number) {
  return db
    .selectFrom('webhook_deliveries')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .select([...delivery])
    .executeTakeFirst();
}

/** Up to `limit`. */
export async function countWaiting(db: Db, orgId: number, endpointId: number, limit: number): Promise<number> {
  const { rows } = await sql<{ waiting: number }>`
    select count(*)::int as waiting from (
      select from webhook_deliveries
      where org_id = ${orgId} and endpoint_id = ${endpointId} and due_at is not null limit ${limit}
    ) as counted`.execute(db);
  return rows[0]?.waiting ?? 0;
}

const AGAIN = { status: 'waiting', attempts: 0, due_at: sql<string>`now()` } as const;

/** Whether it was not waiting already. */
export async function replayDelivery(transaction: Db, orgId: number, id: number): Promise<boolean> {
  const { numUpdatedRows } = await transaction
    .updateTable('webhook_deliveries')
    .set(AGAIN)
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .where('status', '<>', 'waiting')
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Up to `limit` of those that were given up, the oldest first. Returns how many. */
export async function replayDead(transaction: Db, orgId: number, endpointId: number, limit: number): Promise<number> {
  const dead = transaction
    .selectFrom('webhook_deliveries')
    .where('org_id', '=', orgId)
    .where('endpoint_id', '=', endpointId)
    .where('status', '=', 'dead')
    .select(['org_id', 'id'])
    .orderBy('id')
    .limit(limit);
  const { numUpdatedRows } = await transaction
    .updateTable('webhook_deliveries')
    .set(AGAIN)
    .where(({ eb, refTuple }) => eb(refTuple('org_id', 'id'), 'in', dead.$asTuple('org_id', 'id')))
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** Deletes up to `limit` of the oldest; returns how many. */
export async function deleteOldDeliveries(db: Db, days: number, limit: number): Promise<number> {
  const deleted = await sql`
    delete from webhook_deliveries where (org_id, id) in (
      select org_id, id from webhook_deliveries
      where created_at < now() - make_interval(days => ${days}::int) order by created_at limit ${limit}
      for update skip locked
    )`.execute(db);
  return Number(deleted.numAffectedRows ?? 0);
}
