import type { Caller, DatabaseSession } from '../../db/read-write-split.ts';
import { AppError } from '../../errors.ts';
import type { Sessions } from '../../http/authentication.ts';
import { type SignedInActor, writeAudit } from '../audit/audit.ts';
import type { From } from './accounts.ts';
import { linkGone } from './invitations.ts';
import { replaceLink, takeLink, verifyEmail } from './link-queries.ts';
import { readMailedLink } from './mailed-link.ts';
import { memberById } from './member-queries.ts';

/** Mails a new link. Throws `conflict` when the address is confirmed already. */
export async function requestVerification(db: DatabaseSession, { orgId, userId }: SignedInActor): Promise<void> {
  await db.write(async (transaction) => {
    const user = await memberById(transaction, orgId, userId);
    if (user === undefined || user.emailVerifiedAt !== null)
      throw new AppError('conflict', 'Your address is confirmed already.');
    await replaceLink(transaction, orgId, userId, 'email-verification');
  });
}

/** Throws `gone` for a link that does not work, whyever. */
export async function confirmEmail(
  caller: Caller,
  parts: { sessions: Sessions; secretKey: string },
  token: string,
  from: From,
): Promise<void> {
  const target = readMailedLink(parts.secretKey, 'email-verification', token);
  if (target === undefined) throw linkGone();
  const { orgId } = target;
  const confirmed = await caller.within(orgId).write(async (transaction) => {
    const userId = await takeLink(transaction, orgId, target.id, 'email-verification');
    if (userId === undefined) throw linkGone();
    await verifyEmail(transaction, orgId, userId);
    await writeAudit(transaction, { orgId, userId, network: from.network }, { action: 'email.confirmed' });
    return userId;
  });
  parts.sessions.forgetUser(orgId, confirmed);
}
