/** From an event to its deliveries. */
import { sql } from 'kysely';
import { givenRows } from '../../db/batch-write.ts';
import type { Db } from '../../db/schema.ts';
import { WEBHOOK_OWNERS_TOLD_MAX, WEBHOOK_WAITING_MAX } from './limits.ts';
import type { WebhookMessage } from './message.ts';

export async function isListenedTo(db: Db, orgId: number, type: string): Promise<boolean> {
  const found = await db
    .selectFrom('webhook_endpoints')
    .where('org_id', '=', orgId)
    .where('disabled_at', 'is', null)
    .where(sql<boolean>`${type} = any(event_types)`)
    .select('id')
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

export interface ListeningEndpoint {
  readonly id: number;
  readonly url: string;
  readonly eventTypes: string[];
  /** Deliveries, counted up to WEBHOOK_WAITING_MAX. */
  readonly waiting: number;
}

/** Locked until the end of the transaction: nothing that is written now is overlooked by the end of a turn. */
export async function listeningEndpoints(transaction: Db, orgId: number): Promise<ListeningEndpoint[]> {
  const { rows } = await sql<ListeningEndpoint>`
    select id, url, event_types as "eventTypes", (
      select count(*) from (
        select from webhook_deliveries d
        where d.org_id = ${orgId} and d.endpoint_id = e.id and d.due_at is not null limit ${WEBHOOK_WAITING_MAX}
      ) as counted
    )::int as waiting
    from webhook_endpoints e where org_id = ${orgId} and disabled_at is null order by id for update`.execute(
    transaction,
  );
  return rows;
}

export async function insertDeliveries(
  transaction: Db,
  orgId: number,
  rows: readonly (WebhookMessage & { readonly endpointId: number })[],
): Promise<number[]> {
  const given = rows.map((row) => ({
    endpoint_id: row.endpointId,
    message_id: row.messageId,
    event_type: row.type,
    body: row.body,
  }));
  const columns = { endpoint_id: 'bigint', message_id: 'text', event_type: 'text', body: 'text' } as const;
  const { rows: added } = await sql<{ id: number }>`
    insert into webhook_deliveries (org_id, endpoint_id, message_id, event_type, body)
    select ${orgId}::bigint, endpoint_id, message_id, event_type, body from ${givenRows(given, columns)}
    returning id`.execute(transaction);
  return added.map(({ id }) => id);
}

/**
 * Something is due for these endpoints. One that a mailer has at the moment is left alone, since the end of its turn looks
 * again; one that is held stays so.
 */
export async function wakeEndpoints(transaction: Db, orgId: number, ids: readonly number[]): Promise<void> {
  await sql`
    update webhook_endpoints
    set due_at = case when leased_until > now() then due_at else least(due_at, greatest(now(), held_until)) end
    where org_id = ${orgId} and id = any(${ids}::bigint[]) and disabled_at is null`.execute(transaction);
}

/**
 * Nothing is sent there any more. Deliveries that wait are given up, and can be replayed; a batch of events can have
 * brought a few more of them than WEBHOOK_WAITING_MAX.
 */
export async function disableEndpoint(
  transaction: Db,
  orgId: number,
  id: number,
  because: 'person' | 'gone' | 'failing' | 'backlog',
): Promise<void> {
  await sql`
    update webhook_endpoints
    set disabled_at = now(), disabled_because = ${because}, due_at = null, held_until = null, leased_until = null,
      claim = claim + 1, version = version + 1, owners_to_tell = ${because === 'person' ? sql`'{}'` : ownersOf(orgId)}
    where org_id = ${orgId} and id = ${id} and disabled_at is null`.execute(transaction);
  await sql`
    update webhook_deliveries
    set status = 'dead', due_at = null, last_error = coalesce(last_error || ' ', '') || 'The endpoint was disabled.'
    where (org_id, id) in (
      select org_id, id from webhook_deliveries
      where org_id = ${orgId} and endpoint_id = ${id} and due_at is not null limit ${2 * WEBHOOK_WAITING_MAX}
    )`.execute(transaction);
}

function ownersOf(orgId: number) {
  return sql`array(
    select id from users where org_id = ${orgId} and role = 'owner'
    order by id limit ${WEBHOOK_OWNERS_TOLD_MAX}
  )`;
}
