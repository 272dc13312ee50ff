import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import { NO_ORGANISATION } from '../../db/tenant-isolation.ts';
import { ACCOUNT_MAIL_AGAIN_MS } from './limits.ts';
import type { LinkKind } from './mailed-link.ts';

/** What has to be mailed for a link; undefined when it was mailed, used, withdrawn, or has expired. */
export async function letter(db: Db, orgId: number, kind: LinkKind, id: number) {
  const found = await letterOf(db, orgId, kind, id);
  if (found === undefined || found.mailedAt !== null || Date.parse(found.expiresAt) < Date.now()) return undefined;
  return found;
}

function letterOf(db: Db, orgId: number, kind: LinkKind, id: number) {
  switch (kind) {
    case 'registration':
      return registrationLetter(db, id);
    case 'invitation':
      return invitationLetter(db, orgId, id);
    case 'password-reset':
      return passwordResetLetter(db, orgId, id);
  }
}

function registrationLetter(db: Db, id: number) {
  return db
    .selectFrom('registrations')
    .leftJoin('users', 'users.email', 'registrations.email')
    .where('registrations.id', '=', id)
    .select([
      sql<'registration'>`'registration'`.as('kind'),
      'registrations.mailed_at as mailedAt',
      'registrations.expires_at as expiresAt',
      'registrations.email',
      'registrations.created_at as askedAt',
      sql<boolean>`users.id is not null`.as('hasAccount'),
    ])
    .executeTakeFirst();
}

function invitationLetter(db: Db, orgId: number, id: number) {
  return db
    .selectFrom('invitations')
    .innerJoin('organisations', 'organisations.id', 'invitations.org_id')
    .where('invitations.org_id', '=', orgId)
    .where('invitations.id', '=', id)
    .select([
      sql<'invitation'>`'invitation'`.as('kind'),
      'invitations.mailed_at as mailedAt',
      'invitations.expires_at as expiresAt',
      'invitations.email',
      'invitations.created_at as askedAt',
      'organisations.name as organisation',
      'invitations.invited_by as invitedBy',
    ])
    .executeTakeFirst();
}

function passwordResetLetter(db: Db, orgId: number, id: number) {
  return db
    .selectFrom('password_resets')
    .innerJoin('users', (join) =>
      join.onRef('users.org_id', '=', 'password_resets.org_id').onRef('users.id', '=', 'password_resets.user_id'),
    )
    .innerJoin('organisations', 'organisations.id', 'password_resets.org_id')
    .where('password_resets.org_id', '=', orgId)
    .where('password_resets.id', '=', id)
    .select([
      sql<'password-reset'>`'password-reset'`.as('kind'),
      'password_resets.mailed_at as mailedAt',
      'password_resets.expires_at as expiresAt',
      'users.email',
      'password_resets.created_at as askedAt',
      'organisations.name as organisation',
    ])
    .executeTakeFirst();
}

export async function recordMailed(db: Db, orgId: number, kind: LinkKind, id: number, problem: string | null) {
  const outcome = { mailed_at: sql<string>`now()`, mail_problem: problem };
  if (kind === 'registration') {
    await db.updateTable('registrations').set(outcome).where('id', '=', id).execute();
    return;
  }
  await db
    .updateTable(kind === 'invitation' ? 'invitations' : 'password_resets')
    .set(outcome)
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .execute();
}

interface Unmailed {
  readonly orgId: number;
  readonly kind: LinkKind;
  readonly id: number;
}

/** The oldest of each kind that have waited for a minute, of all organisations. */
export async function unmailedLetters(db: Db, limit: number): Promise<Unmailed[]> {
  const before = sql`now() - make_interval(secs => ${ACCOUNT_MAIL_AGAIN_MS / 1000}::float8)`;
  const registrations = await sql<Unmailed>`
    select ${NO_ORGANISATION}::bigint as "orgId", 'registration' as kind, id from registrations
    where mailed_at is null and created_at < ${before} order by created_at limit ${limit}`.execute(db);
  const invitations = await sql<Unmailed>`
    select org_id as "orgId", 'invitation' as kind, id from invitations
    where mailed_at is null and created_at < ${before} order by created_at limit ${limit}`.execute(db);
  const resets = await sql<Unmailed>`
    select org_id as "orgId", 'password-reset' as kind, id from password_resets
    where mailed_at is null and created_at < ${before} order by created_at limit ${limit}`.execute(db);
  return [...registrations.rows, ...invitations.rows, ...resets.rows];
}
