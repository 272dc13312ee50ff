import type { DatabaseSession } from '../../db/read-write-split.ts';
import { AppError } from '../../errors.ts';
import type { Sessions } from '../../http/authentication.ts';
import { type SignedInActor, writeAudit } from '../audit/audit.ts';
import { deleteSession, deleteSessions } from './session-queries.ts';

export interface SessionParts {
  readonly db: DatabaseSession;
  readonly sessions: Sessions;
}

/** One of the actor's own. Throws `not_found`. */
export async function endSession({ db, sessions }: SessionParts, actor: SignedInActor, id: number): Promise<void> {
  const { orgId, userId } = actor;
  await db.write(async (transaction) => {
    if (!(await deleteSession(transaction, orgId, userId, id)))
      throw new AppError('not_found', 'This session does not exist.');
    await writeAudit(transaction, actor, { action: 'session.ended', details: { session: id } });
  });
  sessions.forgetUser(orgId, userId);
}

/** All of the actor's but the one that asks. Returns how many. */
export async function endOtherSessions({ db, sessions }: SessionParts, actor: SignedInActor): Promise<number> {
  const { orgId, userId, sessionId } = actor;
  const ended = await db.write(async (transaction) => {
    const count = await deleteSessions(transaction, orgId, userId, sessionId);
    if (count > 0) await writeAudit(transaction, actor, { action: 'session.others-ended', details: { count } });
    return count;
  });
  sessions.forgetUser(orgId, userId);
  return ended;
}
