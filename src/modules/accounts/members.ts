/**
 * Who belongs to an organisation, and what they may do. An organisation always has an owner: changes of its members wait
 * for each other in the database, so of two owners who remove each other at once the second one finds that he is none any more.
 */
import type { DatabaseSession } from '../../db/read-write-split.ts';
import type { Db, Role } from '../../db/schema.ts';
import { AppError } from '../../errors.ts';
import type { ApiKeys } from '../../http/api-keys.ts';
import type { Sessions } from '../../http/authentication.ts';
import { lockAccess } from '../../http/current-access.ts';
import { etagOf, type TaggedThing } from '../../http/optimistic-concurrency.ts';
import { type SignedInActor, writeAudit } from '../audit/audit.ts';
import { announceEvent } from '../webhooks/webhooks.ts';
import { deleteMember, hasOtherOwner, memberById, updateRole } from './member-queries.ts';

export interface MemberParts {
  readonly db: DatabaseSession;
  readonly sessions: Sessions;
  readonly apiKeys: ApiKeys;
}

export type Member = NonNullable<Awaited<ReturnType<typeof memberById>>>;

/** The role is all of a member that can be changed, so it is the ETag. */
export const lockRoleTag: TaggedThing['lockTag'] = async (transaction, orgId, id) => {
  await lockAccess(transaction, orgId);
  const member = await memberById(transaction, orgId, id);
  return member && etagOf(member.role);
};

/** Throws `not_found`, `forbidden` for what the actor's role does not allow, and `conflict` for the last owner. */
export async function changeRole(parts: MemberParts, actor: SignedInActor, id: number, role: Role): Promise<Member> {
  const { orgId } = actor;
  const changed = await parts.db.write(async (transaction) => {
    const member = await lockedMember(transaction, actor, id, role);
    if (member.role === role) return member;
    if (member.role === 'owner') await keepAnOwner(transaction, orgId, id);
    await updateRole(transaction, orgId, id, role);
    const details = { from: member.role, to: role };
    await writeAudit(transaction, actor, { action: 'member.role-changed', subject: member.email, details });
    return { ...member, role };
  });
  forgetUser(parts, orgId, id);
  return changed;
}

/** Ends their sessions too. Everybody may leave; throws as `changeRole` does. */
export async function removeMember(parts: MemberParts, actor: SignedInActor, id: number): Promise<void> {
  const { orgId } = actor;
  await parts.db.write(async (transaction) => {
    const member = await lockedMember(transaction, actor, id);
    if (member.role === 'owner') await keepAnOwner(transaction, orgId, id);
    // First: the entry has the name of whoever leaves.
    await writeAudit(transaction, actor, { action: 'member.removed', subject: `${member.name} <${member.email}>` });
    await deleteMember(transaction, orgId, id);
    await announceEvent(transaction, { orgId, type: 'member.removed', data: { userId: id } });
  });
  forgetUser(parts, orgId, id);
}

/** Only owners make owners. Throws `forbidden`. */
export function refuseHigherRole(own: Role, other: Role): void {
  if (own !== 'owner' && other === 'owner')
    throw new AppError('forbidden', 'Only an owner can make, change or remove an owner.');
}

/**
 * The actor, after all changes of members that have begun. The role is read again: the one that the request came with may
 * be some seconds old, and what an admin leaves behind would outlast it.
 */
async function lockedActor(transaction: Db, { orgId, userId }: SignedInActor): Promise<Member> {
  await lockAccess(transaction, orgId);
  const own = await memberById(transaction, orgId, userId);
  if (own === undefined) throw new AppError('unauthenticated', 'You are not a member of this organisation any more.');
  return own;
}

/** The same for what only admins do. Throws `forbidden`. */
export async function lockedAdmin(transaction: Db, actor: SignedInActor): Promise<Member> {
  const own = await lockedActor(transaction, actor);
  if (own.role === 'viewer') throw adminNeeded();
  return own;
}

function adminNeeded(): AppError {
  return new AppError('forbidden', 'This needs the role admin; you are signed in as viewer.');
}

async function lockedMember(transaction: Db, actor: SignedInActor, id: number, role: Role = 'viewer'): Promise<Member> {
  const { orgId, userId } = actor;
  const own = await lockedActor(transaction, actor);
  const member = await memberById(transaction, orgId, id);
  if (member === undefined) throw noSuchMember();
  const isOwn = id === userId;
  if (own.role === 'viewer' && !(isOwn && role === 'viewer')) throw adminNeeded();
  refuseHigherRole(own.role, role);
  refuseHigherRole(own.role, member.role);
  return member;
}

export function noSuchMember(): AppError {
  return new AppError('not_found', 'This member does not exist.');
}

/** This process asks the database again; the others do within SESSION_CACHE_MS. */
function forgetUser({ sessions, apiKeys }: MemberParts, orgId: number, id: number): void {
  sessions.forgetUser(orgId, id);
  apiKeys.forgetUser(orgId, id);
}

async function keepAnOwner(transaction: Db, orgId: number, id: number): Promise<void> {
  if (!(await hasOtherOwner(transaction, orgId, id)))
    throw new AppError('conflict', 'An organisation needs an owner: make somebody else an owner first.');
}
