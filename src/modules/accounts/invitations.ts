import type { Caller, Database, DatabaseSession } from '../../db/read-write-split.ts';
import type { Role } from '../../db/schema.ts';
import { AppError, SQLSTATE, sqlState } from '../../errors.ts';
import type { Turn } from '../../flow/fair-semaphore.ts';
import type { Sessions } from '../../http/authentication.ts';
import { lockAccess } from '../../http/current-access.ts';
import type { PasswordHasher } from '../../http/password-hashing.ts';
import { writeToOutbox } from '../../queue/transactional-outbox.ts';
import { type SignedInActor, writeAudit } from '../audit/audit.ts';
import { announceEvent } from '../webhooks/webhooks.ts';
import { addressOf, type From, type Welcome } from './accounts.ts';
import { deleteInvitation, isMember, openInvitation, replaceInvitation, takeInvitation } from './invitation-queries.ts';
import { MEMBERS_MAX } from './limits.ts';
import { readMailedLink } from './mailed-link.ts';
import { countMembers, insertMember } from './member-queries.ts';
import { lockedAdmin, refuseHigherRole } from './members.ts';
import { refuseCommonPassword } from './password-rules.ts';

/**
 * The mail goes out by the outbox. Whether the address has an account elsewhere is not said: only who has the link
 * learns it. Throws `conflict` for a member, and `forbidden` for a role above the actor's.
 */
export async function inviteMember(db: DatabaseSession, actor: SignedInActor, given: { email: string; role: Role }) {
  const { orgId, userId } = actor;
  const email = addressOf(given.email);
  return db.write(async (transaction) => {
    const own = await lockedAdmin(transaction, actor);
    refuseHigherRole(own.role, given.role);
    if (await isMember(transaction, orgId, email)) throw new AppError('conflict', `${email} is a member already.`);
    if ((await countMembers(transaction, orgId)) >= MEMBERS_MAX)
      throw new AppError('conflict', `An organisation has at most ${MEMBERS_MAX} members and open invitations.`);
    const invitation = await replaceInvitation(transaction, orgId, { email, role: given.role, invitedBy: userId });
    await writeAudit(transaction, actor, {
      action: 'invitation.sent',
      subject: nameless(invitation.id),
      details: { role: given.role },
    });
    const payload = { kind: 'invitation', id: invitation.id } as const;
    await writeToOutbox(transaction, { orgId, topic: 'account.mail-wanted', payload });
    return invitation;
  });
}

/** Throws `not_found`. */
export async function withdrawInvitation(db: DatabaseSession, actor: SignedInActor, id: number): Promise<void> {
  await db.write(async (transaction) => {
    const withdrawn = await deleteInvitation(transaction, actor.orgId, id);
    if (withdrawn === undefined) throw new AppError('not_found', 'This invitation does not exist.');
    await writeAudit(transaction, actor, { action: 'invitation.withdrawn', subject: nameless(id) });
  });
}

/** What an invitation is to; throws `gone` for a link that does not work, whyever. */
export async function readInvitation(database: Pick<Database, 'primary'>, secretKey: string, token: string) {
  const target = readMailedLink(secretKey, 'invitation', token);
  const found = target && (await openInvitation(database.primary(target.orgId), target.orgId, target.id));
  if (target === undefined || found === undefined) throw linkGone();
  return { target, ...found };
}

/** Makes whoever has the link a member, and signs them in. The link works once. */
export async function acceptInvitation(
  caller: Caller,
  parts: { hasher: PasswordHasher; sessions: Sessions; database: Pick<Database, 'primary'>; secretKey: string },
  given: { token: string; name: string; password: string },
  turn: Turn,
  from: From,
): Promise<Welcome> {
  const { target, organisation, email } = await readInvitation(parts.database, parts.secretKey, given.token);
  await refuseCommonPassword(given.password, email);
  const passwordHash = await parts.hasher.hash(given.password, turn);
  const { orgId } = target;
  try {
    return await caller.within(orgId).write(async (transaction) => {
      await lockAccess(transaction, orgId);
      const taken = await takeInvitation(transaction, orgId, target.id);
      if (taken === undefined) throw linkGone();
      const user = await insertMember(transaction, orgId, { ...taken, name: given.name.trim(), passwordHash });
      const actor = { orgId, userId: user.id, ...from };
      await writeAudit(transaction, actor, {
        action: 'member.joined',
        subject: `${user.name} <${user.email}>`,
        details: { role: user.role, invitation: target.id },
      });
      await announceEvent(transaction, { orgId, type: 'member.joined', data: { userId: user.id, role: user.role } });
      const token = await parts.sessions.create(transaction, actor);
      return { token, user, organisation: { id: orgId, name: organisation } };
    });
  } catch (error) {
    if (sqlState(error) === SQLSTATE.uniqueViolation)
      throw new AppError('conflict', 'This address already has an account, and an address can have only one.');
    throw error;
  }
}

/** Whoever is invited has no account yet, and could not be erased from the log. `member.joined` says who used which. */
const nameless = (id: number) => `invitation ${id}`;

export function linkGone(): AppError {
  return new AppError('gone', 'This link does not work any more: it was used, replaced, or has expired.');
}
