import type { Config } from '../../config.ts';
import type { Caller, DatabaseSession } from '../../db/read-write-split.ts';
import { AppError } from '../../errors.ts';
import type { SignedIn } from '../../http/app.ts';
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

/**
 * Throws `gone` for a link that does not work, whyever. The address of an operator is only confirmed by `by`, the account
 * itself: otherwise somebody who has registered it would be one as soon as its owner follows the link. Throws `forbidden`.
 */
export async function confirmEmail(
  caller: Caller,
  parts: { sessions: Sessions; config: Pick<Config, 'secretKey' | 'operators'> },
  token: string,
  from: From,
  by: SignedIn | undefined,
): Promise<void> {
  const { secretKey, operators } = parts.config;
  const target = readMailedLink(secretKey, 'email-verification', token);
  if (target === undefined) throw linkGone();
  const { orgId } = target;
  const confirmed = await caller.within(orgId).write(async (transaction) => {
    const userId = await takeLink(transaction, orgId, target.id, 'email-verification');
    if (userId === undefined) throw linkGone();
    const email = (await memberById(transaction, orgId, userId))?.email ?? '';
    if (operators.includes(email) && !(by?.orgId === orgId && by.userId === userId))
      throw new AppError('forbidden', OPERATORS_OWN);
    await verifyEmail(transaction, orgId, userId);
    await writeAudit(transaction, { orgId, userId, network: from.network }, { action: 'email.confirmed' });
    return userId;
  });
  parts.sessions.forgetUser(orgId, confirmed);
}

const OPERATORS_OWN =
  'This is the address of somebody who runs the platform: sign in with this account first, then open the link again. If it was not you who registered it, reset the password instead.';
