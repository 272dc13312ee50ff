import type { Database, DatabaseSession } from '../../db/read-write-split.ts';
import { AppError } from '../../errors.ts';
import type { Turn } from '../../flow/fair-semaphore.ts';
import type { Sessions } from '../../http/authentication.ts';
import { NO_PASSWORD, type PasswordHasher } from '../../http/password-hashing.ts';
import { type SignedInActor, writeAudit } from '../audit/audit.ts';
import { deletePasswordReset } from './password-reset-queries.ts';
import { refuseCommonPassword } from './password-rules.ts';
import { passwordOf, replacePassword } from './queries.ts';
import { deleteBegunSecondFactor } from './second-factor-queries.ts';
import { deleteSessions } from './session-queries.ts';

/**
 * Ends all other sessions, and what may be under way: a link to reset the password, and a second factor that nobody has
 * confirmed. Throws `forbidden` when the current password is wrong.
 */
export async function changePassword(
  parts: { db: DatabaseSession; hasher: PasswordHasher; sessions: Sessions; database: Pick<Database, 'primary'> },
  actor: SignedInActor,
  given: { current: string; password: string },
  turn: Turn,
): Promise<void> {
  const { orgId, userId } = actor;
  const { email, passwordHash } = await refuseWrongPassword(parts, actor, given.current, turn);
  await refuseCommonPassword(given.password, email);
  const hash = await parts.hasher.hash(given.password, turn);
  await parts.db.write(async (transaction) => {
    if (!(await replacePassword(transaction, orgId, userId, { verified: passwordHash, hash }))) throw passwordChanged();
    await deleteSessions(transaction, orgId, userId, actor.sessionId);
    await deleteBegunSecondFactor(transaction, orgId, userId);
    await deletePasswordReset(transaction, orgId, userId);
    await writeAudit(transaction, actor, { action: 'password.changed' });
  });
  parts.sessions.forgetUser(orgId, userId);
}

/** Returns what the account has. Throws `forbidden`, also for an account that has no password. */
export async function refuseWrongPassword(
  { hasher, database }: { hasher: PasswordHasher; database: Pick<Database, 'primary'> },
  { orgId, userId }: SignedInActor,
  given: string,
  turn: Turn,
): Promise<{ readonly email: string; readonly passwordHash: string }> {
  const user = await passwordOf(database.primary(orgId), orgId, userId);
  if (user?.password_hash === NO_PASSWORD)
    throw new AppError('forbidden', 'Your account has no password. Choose one first: POST /api/v1/password-resets.');
  if (!(await hasher.verify(given, user?.password_hash, turn)) || user === undefined) throw wrongPassword();
  return { email: user.email, passwordHash: user.password_hash };
}

function wrongPassword(): AppError {
  return new AppError('forbidden', 'The password is wrong.');
}

/**
 * Since it was verified, in the same session: a reset, a removal and another session's change end this one, and it is told
 * that (current-access.ts).
 */
export function passwordChanged(): AppError {
  return new AppError('forbidden', 'Your password has changed meanwhile. Enter the new one.');
}
