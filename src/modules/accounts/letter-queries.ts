import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import { ACCOUNT_MAIL_AGAIN_MS } from './limits.ts';
import type { LinkKind } from './mailed-link.ts';

/** What has to be mailed for a link; undefined when it was mailed, used, withdrawn, or has expired. */
export async function letter(db: Db, orgId: number, kind: LinkKind, id: number) {
  const found = await letterOf(db, orgId, kind, id);
  if (found === undefined || found.mailedAt !== null || Date.parse(found.expiresAt) < Date.now()) return undefined;
  return found;
}

function letterOf(db: Db, orgId: number, kind: LinkKind, id: number) {
  if (kind === 'invitation')
    return db
      .selectFrom('invitations')
      .innerJoin('organisations', 'organisations.id', 'invitations.org_id')
      .where('invitations.org_id', '=', orgId)
      .where('invitations.id', '=', id)
      .select([
        'invitations.mailed_at as mailedAt',
        'invitations.expires_at as expiresAt',
        'invitations.email',
        'organisations.name as organisation',
        'invitations.invited_by as invitedBy',
      ])
      .executeTakeFirst();
  return db
    .selectFrom('account_links')
    .innerJoin('users', (join) =>
      join.onRef('users.org_id', '=', 'account_links.org_id').onRef('users.id', '=', 'account_links.user_id'),
    )
    .innerJoin('organisations', 'organisations.id', 'account_links.org_id')
    .where('account_links.org_id', '=', orgId)
    .where('account_links.id', '=', id)
    .where('account_links.purpose', '=', kind)
    .select([
      'account_links.mailed_at as mailedAt',
      'account_links.expires_at as expiresAt',
      'users.email',
      'organisations.name as organisation',
      sql<string | null>`null`.as('invitedBy'),
    ])
    .executeTakeFirst();
}

export async function recordMailed(db: Db, orgId: number, kind: LinkKind, id: number, problem: string | null) {
  await db
    .updateTable(kind === 'invitation' ? 'invitations' : 'account_links')
    .set({ mailed_at: sql`now()`, mail_problem: problem })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .execute();
}

/** The oldest that have waited for a minute, of all organisations. */
export async function unmailedLetters(db: Db, limit: number): Promise<{ orgId: number; kind: LinkKind; id: number }[]> {
  const invitations = await sql<{ orgId: number; kind: LinkKind; id: number }>`
    select org_id as "orgId", 'invitation' as kind, id from invitations
    where mailed_at is null and created_at < now() - make_interval(secs => ${ACCOUNT_MAIL_AGAIN_MS / 1000}::float8) order by created_at limit ${limit}`.execute(
    db,
  );
  const links = await sql<{ orgId: number; kind: LinkKind; id: number }>`
    select org_id as "orgId", purpose as kind, id from account_links
    where mailed_at is null and created_at < now() - make_interval(secs => ${ACCOUNT_MAIL_AGAIN_MS / 1000}::float8) order by created_at limit ${limit}`.execute(
    db,
  );
  return [...invitations.rows, ...links.rows];
}
