/**
 * A forgotten password. Whether the address has an account is said by nothing: the request writes one event, whatever the
 * address is, and the mailer finds out later. The link proves that its user reads the mailbox.
 */
import type { Caller, Database } from '../../db/read-write-split.ts';
import type { Db } from '../../db/schema.ts';
import { EVERY_ORGANISATION, NO_ORGANISATION } from '../../db/tenant-isolation.ts';
import type { Turn } from '../../flow/fair-semaphore.ts';
import type { Sessions } from '../../http/authentication.ts';
import { lockAccess } from '../../http/current-access.ts';
import type { PasswordHasher } from '../../http/password-hashing.ts';
import { writeToOutbox } from '../../queue/transactional-outbox.ts';
import { writeAudit } from '../audit/audit.ts';
import type { From } from './accounts.ts';
import { linkGone } from './invitations.ts';
import { readMailedLink } from './mailed-link.ts';
import { openPasswordReset, remailPasswordReset, takePasswordReset } from './password-reset-queries.ts';
import { refuseCommonPassword } from './password-rules.ts';
import { updatePassword, userByEmail } from './queries.ts';
import { deleteBegunSecondFactor } from './second-factor-queries.ts';
import { deleteSessions } from './session-queries.ts';

declare module '../../queue/transactional-outbox.ts' {
  interface Topics {
    'account.password-reset-wanted': { readonly email: string; readonly network: string };
  }
}

export async function requestPasswordReset(caller: Caller, email: string, network: string): Promise<void> {
  await caller.within(EVERY_ORGANISATION).write((transaction) =>
    writeToOutbox(transaction, {
      orgId: NO_ORGANISATION,
      topic: 'account.password-reset-wanted',
      payload: { email, network },
    }),
  );
}

/** In the transaction of the relay: each address that has an account gets a link. */
export async function startPasswordResets(
  transaction: Db,
  wanted: readonly { email: string; network: string }[],
): Promise<void> {
  for (const { email, network } of wanted) {
    const user = await userByEmail(transaction, email);
    if (user === undefined) continue;
    await remailPasswordReset(transaction, user.org_id, user.id);
    const entry = { action: 'password.reset-requested', subject: email } as const;
    await writeAudit(transaction, { orgId: user.org_id, network }, entry);
  }
}

/** Sets the password, ends every session of the user, and returns the address. Throws `gone` for a link that does not work, whyever. */
export async function resetPassword(
  caller: Caller,
  parts: { hasher: PasswordHasher; sessions: Sessions; database: Pick<Database, 'primary'>; secretKey: string },
  given: { token: string; password: string },
  turn: Turn,
  from: From,
): Promise<string> {
  const target = readMailedLink(parts.secretKey, 'password-reset', given.token);
  const open = target && (await openPasswordReset(parts.database.primary(target.orgId), target.orgId, target.id));
  if (target === undefined || open === undefined) throw linkGone();
  await refuseCommonPassword(given.password, open.email);
  const hash = await parts.hasher.hash(given.password, turn);
  const { orgId } = target;
  const userId = await caller.within(orgId).write(async (transaction) => {
    await lockAccess(transaction, orgId); // first, as a change of the password has it when it ends the reset
    const taken = await takePasswordReset(transaction, orgId, target.id);
    if (taken === undefined) throw linkGone();
    await updatePassword(transaction, orgId, taken, hash);
    await deleteSessions(transaction, orgId, taken);
    await deleteBegunSecondFactor(transaction, orgId, taken);
    await writeAudit(transaction, { orgId, userId: taken, network: from.network }, { action: 'password.reset' });
    return taken;
  });
  caller.afterCommit(() => parts.sessions.forgetUser(orgId, userId));
  return open.email;
}
