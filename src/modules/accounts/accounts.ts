import type { Caller, Database, DatabaseSession } from '../../db/read-write-split.ts';
import type { Role } from '../../db/schema.ts';
import { EVERY_ORGANISATION } from '../../db/tenant-isolation.ts';
import { AppError, SQLSTATE, sqlState } from '../../errors.ts';
import type { Turn } from '../../flow/fair-semaphore.ts';
import type { Sessions } from '../../http/authentication.ts';
import type { PasswordHasher } from '../../http/password-hashing.ts';
import { parseAddress } from '../../mail-address.ts';
import { type Actor, writeAudit } from '../audit/audit.ts';
import { insertOrganisation, me, userByEmail } from './queries.ts';

export interface Welcome {
  readonly token: string;
  readonly user: { readonly id: number; readonly name: string; readonly email: string; readonly role: Role };
  readonly organisation: { readonly id: number; readonly name: string };
}

export interface Registration {
  readonly organisation: string;
  readonly name: string;
  readonly email: string;
  readonly password: string;
}

/**
 * Creates an organisation and its owner, and signs the owner in. Throws `conflict` if the address already has an
 * account.
 */
export async function registerOrganisation(
  caller: Caller,
  parts: { hasher: PasswordHasher; sessions: Sessions },
  registration: Registration,
  turn: Turn,
  network: string,
): Promise<Welcome> {
  const email = addressOf(registration.email);
  const passwordHash = await parts.hasher.hash(registration.password, turn);
  try {
    return await caller.within(EVERY_ORGANISATION).write(async (transaction) => {
      const { organisation, user } = await insertOrganisation(transaction, { ...registration, email, passwordHash });
      const actor = { orgId: organisation.id, userId: user.id, network };
      await writeAudit(transaction, actor, { action: 'organisation.registered', subject: organisation.name });
      const token = await parts.sessions.create(transaction, actor);
      return { token, user, organisation };
    });
  } catch (error) {
    if (sqlState(error) === SQLSTATE.uniqueViolation)
      throw new AppError('conflict', 'This address already has an account. Sign in instead.');
    throw error;
  }
}

function addressOf(text: string): string {
  const parsed = parseAddress(text);
  if ('fault' in parsed) throw new AppError('invalid', `This is not an email address: it ${parsed.fault}.`);
  return parsed.address;
}

/**
 * Throws `unauthenticated`, with the same message and timing, for an unknown address and for a wrong password. Reads
 * from the primary: someone who registered a moment ago, perhaps on another device, can sign in however far a replica
 * lags.
 */
export async function signIn(
  caller: Caller,
  parts: { hasher: PasswordHasher; sessions: Sessions; database: Pick<Database, 'primary'> },
  given: { email: string; password: string },
  turn: Turn,
  network: string,
): Promise<Welcome> {
  const parsed = parseAddress(given.email);
  const email = 'fault' in parsed ? '' : parsed.address;
  const found = await userByEmail(parts.database.primary(EVERY_ORGANISATION), email);
  const right = await parts.hasher.verify(given.password, found?.password_hash, turn);
  if (!right || found === undefined) throw new AppError('unauthenticated', 'The address or the password is wrong.');
  const actor = { orgId: found.org_id, userId: found.id, network };
  const token = await caller.within(found.org_id).write(async (transaction) => {
    await writeAudit(transaction, actor, { action: 'session.started' });
    return parts.sessions.create(transaction, actor);
  });
  return {
    token,
    user: { id: found.id, name: found.name, email: found.email, role: found.role },
    organisation: { id: found.org_id, name: found.organisation },
  };
}

/** Ends the session with this token. */
export async function signOut(
  { db, sessions }: { db: DatabaseSession; sessions: Sessions },
  actor: Actor,
  token: string,
): Promise<void> {
  await db.write(async (transaction) => {
    await writeAudit(transaction, actor, { action: 'session.ended' });
    await sessions.end(transaction, token);
  });
}

/** The signed-in person and their organisation, by name. From the primary: the session was found there. */
export function whoIs(database: Pick<Database, 'primary'>, orgId: number, userId: number) {
  return me(database.primary(orgId), orgId, userId);
}
