/** Who has yet to hear that an endpoint was disabled. */
import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import { WEBHOOK_NOTICE_LOOKS_BACK, WEBHOOK_NOTICE_SWEEP_EVERY_MS } from './limits.ts';
import type { Reason } from './turning-off.ts';

export interface Notice {
  readonly url: string;
  readonly because: Reason;
  readonly disabledAt: string;
  /** What the last call that failed ended with. */
  readonly lastError: string | null;
  readonly organisation: string;
  readonly owner: { readonly id: number; readonly name: string; readonly email: string };
}

/** For the next owner; undefined when all have heard, or it was enabled again. Who is not an owner any more is left out. */
export async function nextNotice(db: Db, orgId: number, endpointId: number): Promise<Notice | undefined> {
  const { rows } = await sql<Notice>`
    select e.url, e.disabled_because as because, e.disabled_at as "disabledAt",
      o.name as organisation, json_build_object('id', u.id, 'name', u.name, 'email', u.email) as owner, (
        select replace(last_error, ' The endpoint was disabled.', '') from (
          select id, last_error, last_attempt_at from webhook_deliveries d
          where d.org_id = ${orgId} and d.endpoint_id = ${endpointId} and d.status = 'dead'
          order by d.id desc limit ${WEBHOOK_NOTICE_LOOKS_BACK}
        ) as latest where last_attempt_at is not null order by id desc limit 1
      ) as "lastError"
    from webhook_endpoints e
    join organisations o on o.id = e.org_id
    join users u on u.org_id = e.org_id and u.id = any(e.owners_to_tell) and u.role = 'owner'
    where e.org_id = ${orgId} and e.id = ${endpointId} order by u.id limit 1`.execute(db);
  return rows[0];
}

/** `ownerId` undefined: nobody is left to be told. */
export async function recordTold(db: Db, orgId: number, endpointId: number, ownerId?: number): Promise<void> {
  await sql`
    update webhook_endpoints
    set owners_to_tell = ${ownerId === undefined ? sql`'{}'` : sql`array_remove(owners_to_tell, ${ownerId}::bigint)`}
    where org_id = ${orgId} and id = ${endpointId}`.execute(db);
}

/** Of all organisations, the oldest first: those whose job should have come by now. */
export async function untoldEndpoints(db: Db, limit: number): Promise<{ orgId: number; endpointId: number }[]> {
  const { rows } = await sql<{ orgId: number; endpointId: number }>`
    select org_id as "orgId", id as "endpointId" from webhook_endpoints
    where owners_to_tell <> '{}'
      and disabled_at < now() - make_interval(secs => ${WEBHOOK_NOTICE_SWEEP_EVERY_MS / 1_000}::float8)
    order by disabled_at limit ${limit}`.execute(db);
  return rows;
}
