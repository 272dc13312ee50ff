import type { Database, DatabaseSession } from '../../db/read-write-split.ts';
import { AppError } from '../../errors.ts';
import type { Turn } from '../../flow/fair-semaphore.ts';
import type { Sessions } from '../../http/authentication.ts';
import type { PasswordHasher } from '../../http/password-hashing.ts';
import { type SignedInActor, writeAudit } from '../audit/audit.ts';
import { deleteLinks } from './link-queries.ts';
import { refuseCommonPassword } from './password-rules.ts';
import { passwordOf, updatePassword } from './queries.ts';
import { deleteSessions } from './session-queries.ts';

/**
 * Ends all other sessions, and a link to reset the password that may be under way. Throws `forbidden` when the current
 * password is wrong.
 */
export async function changePassword(
  parts: { db: DatabaseSession; hasher: PasswordHasher; sessions: Sessions; database: Pick<Database, 'primary'> },
  actor: SignedInActor,
  given: { current: string; password: string },
  turn: Turn,
): Promise<void> {
  const { orgId, userId } = actor;
  const user = await passwordOf(parts.database.primary(orgId), orgId, userId);
  if (!(await parts.hasher.verify(given.current, user?.password_hash, turn)) || user === undefined)
    throw new AppError('forbidden', 'The current password is wrong.');
  await refuseCommonPassword(given.password, user.email);
  const hash = await parts.hasher.hash(given.password, turn);
  await parts.db.write(async (transaction) => {
    await updatePassword(transaction, orgId, userId, hash);
    await deleteSessions(transaction, orgId, userId, actor.sessionId);
    await deleteLinks(transaction, orgId, userId, 'password-reset');
    await writeAudit(transaction, actor, { action: 'password.changed' });
  });
  parts.sessions.forgetUser(orgId, userId);
}
