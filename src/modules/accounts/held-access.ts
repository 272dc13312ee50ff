import { sql } from 'kysely';
import { givenRows } from '../../db/batch-write.ts';
import type { Db } from '../../db/schema.ts';
import type { Access } from '../../socket/access-watch.ts';
import type { Holder } from '../../socket/ticket.ts';

/** What has become of what each of them came with. From the primary: a replica may not know that it has ended. */
export async function accessOf(db: Db, holders: readonly Holder[]): Promise<Access[]> {
  const given = holders.map(({ orgId, userId, sessionId = null, apiKey = null }, nth) => ({
    nth,
    org_id: orgId,
    user_id: userId,
    session_id: sessionId,
    api_key: apiKey,
  }));
  const columns = {
    nth: 'integer',
    org_id: 'bigint',
    user_id: 'bigint',
    session_id: 'bigint',
    api_key: 'text',
  } as const;
  // Lateral joins with a limit: each holder's rows are found by their keys (batch-write says why).
  const { rows } = await sql<{ nth: number; role: string; holds: boolean }>`
    select given.nth, u.role, case
      when given.session_id is not null then s.id is not null
      when given.api_key is not null then k.id is not null
      else true end as holds
    from ${givenRows(given, columns)}
    cross join lateral (
      select role from users where users.org_id = given.org_id and users.id = given.user_id limit 1
    ) as u
    left join lateral (
      select id from sessions where sessions.org_id = given.org_id and sessions.user_id = given.user_id
        and sessions.id = given.session_id and sessions.expires_at > now() limit 1
    ) as s on true
    left join lateral (
      select id from api_keys where api_keys.org_id = given.org_id and api_keys.user_id = given.user_id
        and api_keys.prefix = given.api_key and (api_keys.expires_at is null or api_keys.expires_at > now()) limit 1
    ) as k on true`.execute(db);
  const found = new Map(rows.map((row) => [row.nth, row]));
  return holders.map(({ role }, nth) => {
    const now = found.get(nth);
    if (now === undefined || !now.holds) return 'ended';
    return now.role === role ? 'same' : 'changed';
  });
}
