import { sql } from 'kysely';
import type { IdPlace } from '../../db/keyset-pagination.ts';
import type { Db } from '../../db/schema.ts';
import { EXPIRED_KEPT_DAYS } from './limits.ts';

export function apiKeysPage(db: Db, orgId: number, before: IdPlace | undefined, rows: number) {
  let query = db
    .selectFrom('api_keys')
    .innerJoin('users', (join) =>
      join.onRef('users.org_id', '=', 'api_keys.org_id').onRef('users.id', '=', 'api_keys.user_id'),
    )
    .where('api_keys.org_id', '=', orgId);
  if (before !== undefined) query = query.where('api_keys.id', '<', before[0]);
  return query
    .select([
      'api_keys.id',
      'api_keys.name',
      'api_keys.prefix',
      'api_keys.scope',
      'users.name as owner',
      'api_keys.created_at as createdAt',
      'api_keys.last_used_at as lastUsedAt',
      'api_keys.expires_at as expiresAt',
    ])
    .orderBy('api_keys.id', 'desc')
    .limit(rows)
    .execute();
}

export async function countApiKeys(db: Db, orgId: number): Promise<number> {
  const { count } = await db
    .selectFrom('api_keys')
    .where('org_id', '=', orgId)
    .select((q) => q.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

export function insertApiKey(
  transaction: Db,
  orgId: number,
  key: { userId: number; name: string; prefix: string; hash: Buffer; scope: 'read' | 'write'; expiresAt: Date | null },
) {
  return transaction
    .insertInto('api_keys')
    .values({
      org_id: orgId,
      user_id: key.userId,
      name: key.name,
      prefix: key.prefix,
      key_hash: key.hash,
      scope: key.scope,
      expires_at: key.expiresAt,
    })
    .returning(['id', 'name', 'prefix', 'scope', 'created_at as createdAt', 'expires_at as expiresAt'])
    .executeTakeFirstOrThrow();
}

export function deleteApiKey(transaction: Db, orgId: number, id: number) {
  return transaction
    .deleteFrom('api_keys')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .returning(['name', 'prefix'])
    .executeTakeFirst();
}

/** Deletes up to `limit` that expired a while ago; returns how many. */
export async function deleteExpiredApiKeys(db: Db, limit: number): Promise<number> {
  const deleted = await sql`
    delete from api_keys where (org_id, id) in (
      select org_id, id from api_keys where expires_at < now() - make_interval(days => ${EXPIRED_KEPT_DAYS}::int)
      order by expires_at limit ${limit} for update skip locked
    )`.execute(db);
  return Number(deleted.numAffectedRows ?? 0);
}
