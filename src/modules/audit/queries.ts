import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import { AUDIT_DAYS } from './limits.ts';

export interface AuditFilter {
  readonly actorId?: number | undefined;
  readonly action?: string | undefined;
  /** [from, to) */
  readonly from: string;
  readonly to: string;
}

/** The newest first; after an entry comes what happened before it. */
export type AuditPlace = readonly [at: string, id: number];

export function auditPage(db: Db, orgId: number, filter: AuditFilter, after: AuditPlace | undefined, rows: number) {
  const { actorId, action, from, to } = filter;
  let query = db
    .selectFrom('audit_log')
    .where('org_id', '=', orgId)
    .where('created_at', '>=', from)
    .where('created_at', '<', to);
  if (actorId !== undefined) query = query.where('actor_id', '=', actorId);
  if (action !== undefined) query = query.where('action', '=', action);
  if (after !== undefined)
    query = query.where(sql<boolean>`(created_at, id) < (${after[0]}::timestamptz, ${after[1]}::bigint)`);
  return query
    .select(['id', 'created_at', 'actor_id', 'actor', 'api_key', 'network', 'action', 'subject', 'details'])
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(rows)
    .execute();
}

/** Deletes up to `limit` of the oldest entries beyond AUDIT_DAYS; returns how many. */
export async function deleteOldEntries(db: Db, limit: number): Promise<number> {
  const deleted = await sql`
    delete from audit_log where (org_id, created_at, id) in (
      select org_id, created_at, id from audit_log
      where created_at < now() - make_interval(days => ${AUDIT_DAYS}::int) order by created_at limit ${limit}
    )`.execute(db);
  return Number(deleted.numAffectedRows ?? 0);
}
