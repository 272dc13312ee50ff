/**
 * What it is: an account exists once its address is confirmed, and not before.
 * What fails without it: the answer to a registration says which addresses have an account. Somebody who reads no mail at an
 *   address acts in its name: they import people and write to them. And they wait in it for its owner, with a password
 *   that they know (account pre-hijacking, Sudhodanan and Paverd 2022).
 * How it works: a registration takes nothing but an address. One row and one mail, whatever the address is; the mailer
 *   finds out later whether it has an account, and the mail says it to the mailbox alone. The organisation, the name and
 *   the password are given with the link: a stranger who asked for the mail has no part in the account, nor in its text.
 *   Asked again, the same link is mailed again, so a stranger cannot make the one useless that somebody is about to click.
 * What it costs: a person waits for a mail before they see anything.
 * Its bound: REGISTRATIONS_MAX, REGISTRATION_MS, LINKS_PER_ADDRESS_MAX. Its proof: test/modules/accounts/registrations.test.ts.
 */
import type { Caller, Database } from '../../db/read-write-split.ts';
import { EVERY_ORGANISATION, NO_ORGANISATION } from '../../db/tenant-isolation.ts';
import { AppError, SQLSTATE, sqlState } from '../../errors.ts';
import type { Turn } from '../../flow/fair-semaphore.ts';
import type { Sessions } from '../../http/authentication.ts';
import type { PasswordHasher } from '../../http/password-hashing.ts';
import { writeToOutbox } from '../../queue/transactional-outbox.ts';
import { writeAudit } from '../audit/audit.ts';
import type { From, Welcome } from './accounts.ts';
import { linkGone } from './invitations.ts';
import { readMailedLink } from './mailed-link.ts';
import { refuseCommonPassword } from './password-rules.ts';
import { insertOrganisation } from './queries.ts';
import { openRegistration, pushOutRegistrations, renewRegistration, takeRegistration } from './registration-queries.ts';

/** Mails a link, or that the address has an account already. The same statements whatever the address is. */
export async function requestRegistration(caller: Caller, email: string): Promise<void> {
  await caller.within(EVERY_ORGANISATION).write(async (transaction) => {
    const id = await renewRegistration(transaction, email);
    await pushOutRegistrations(transaction, id);
    const payload = { kind: 'registration', id } as const;
    await writeToOutbox(transaction, { orgId: NO_ORGANISATION, topic: 'account.mail-wanted', payload });
  });
}

/** Throws `gone` for a link that does not work, whyever, and `conflict` when the address has an account by now. */
export async function readRegistration(
  database: Pick<Database, 'primary'>,
  secretKey: string,
  token: string,
): Promise<{ id: number; email: string }> {
  const target = readMailedLink(secretKey, 'registration', token);
  const found = target && (await openRegistration(database.primary(EVERY_ORGANISATION), target.id));
  if (target === undefined || found === undefined) throw linkGone();
  if (found.userId !== null) throw addressTaken();
  return { id: target.id, email: found.email };
}

export interface Registration {
  readonly token: string;
  readonly organisation: string;
  readonly name: string;
  readonly password: string;
}

/** Creates the organisation with its owner, the person with the link, and signs them in. The link works once. */
export async function confirmRegistration(
  caller: Caller,
  parts: { hasher: PasswordHasher; sessions: Sessions; database: Pick<Database, 'primary'>; secretKey: string },
  given: Registration,
  turn: Turn,
  from: From,
): Promise<Welcome> {
  const { id, email } = await readRegistration(parts.database, parts.secretKey, given.token);
  await refuseCommonPassword(given.password, email);
  const passwordHash = await parts.hasher.hash(given.password, turn);
  try {
    return await caller.within(EVERY_ORGANISATION).write(async (transaction) => {
      if ((await takeRegistration(transaction, id)) === undefined) throw linkGone();
      const { organisation, user } = await insertOrganisation(transaction, { ...given, email, passwordHash });
      const actor = { orgId: organisation.id, userId: user.id, ...from };
      await writeAudit(transaction, actor, { action: 'organisation.registered', subject: organisation.name });
      const token = await parts.sessions.create(transaction, actor);
      return { token, user, organisation };
    });
  } catch (error) {
    // An invitation was accepted after the link was read.
    if (sqlState(error) === SQLSTATE.uniqueViolation) throw addressTaken();
    throw error;
  }
}

/** To somebody who reads the mail of this address. */
function addressTaken(): AppError {
  return new AppError('conflict', 'This address has an account by now. Sign in instead, or reset the password.');
}
