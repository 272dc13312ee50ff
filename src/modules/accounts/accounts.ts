import type { Config } from '../../config.ts';
import type { Caller, Database, DatabaseSession } from '../../db/read-write-split.ts';
import type { Db, Role } from '../../db/schema.ts';
import { EVERY_ORGANISATION } from '../../db/tenant-isolation.ts';
import { AppError } from '../../errors.ts';
import type { Sessions } from '../../http/authentication.ts';
import type { VerifyingPlace } from '../../http/password-hashing.ts';
import { parseAddress } from '../../mail-address.ts';
import { type SignedInActor, writeAudit } from '../audit/audit.ts';
import type { AsTry } from './code-tries.ts';
import { holdPassword, me, userByEmail, userById } from './queries.ts';
import { createSecondStepTicket, isValidTicket, unverifiedStep, useCode, wrongCode } from './second-factor.ts';

/** Where a request came from: for the audit log and for the person's list of sessions. */
export interface From {
  readonly network: string;
  /** What the client says that it is. */
  readonly device?: string | undefined;
}

export interface Welcome {
  readonly token: string;
  readonly user: { readonly id: number; readonly name: string; readonly email: string; readonly role: Role };
  readonly organisation: { readonly id: number; readonly name: string };
}

/** Throws `invalid`, in words. */
export function addressOf(text: string): string {
  const parsed = parseAddress(text);
  if ('fault' in parsed) throw new AppError('invalid', `This is not an email address: it ${parsed.fault}.`);
  return parsed.address;
}

/** The password was right; what is missing is a code, sent with this ticket to `signInWithCode`. */
export interface CodeWanted {
  readonly ticket: string;
}

/**
 * Throws `unauthenticated`, with the same message and timing, for an unknown address and for a wrong password. Reads
 * from the primary: someone who registered a moment ago, perhaps on another device, can sign in however far a replica
 * lags.
 */
export async function signIn(
  caller: Caller,
  parts: SignInParts,
  given: { email: string; password: string },
  place: Pick<VerifyingPlace, 'verify'>,
  from: From,
): Promise<Welcome | CodeWanted> {
  const parsed = parseAddress(given.email);
  const email = 'fault' in parsed ? '' : parsed.address;
  const found = await userByEmail(parts.database.primary(EVERY_ORGANISATION), email);
  const right = await place.verify(given.password, found?.password_hash);
  if (!right || found === undefined) throw new AppError('unauthenticated', 'The address or the password is wrong.');
  if (found.second_factor_since !== null) {
    const step = { orgId: found.org_id, userId: found.id };
    return { ticket: createSecondStepTicket(parts.config.secretKey, step, found.password_hash) };
  }
  return beginSession(caller, parts, found, from);
}

/**
 * Throws `unauthenticated` for a ticket that does not hold, and `forbidden` for a wrong code. `asTry` comes first once the
 * ticket holds: with forged ones, anybody could use up somebody else's tries.
 */
export async function signInWithCode(
  caller: Caller,
  parts: SignInParts,
  given: { ticket: string; code: string },
  from: From,
  asTry: AsTry,
): Promise<Welcome> {
  const { secretKey } = parts.config;
  const step = unverifiedStep(given.ticket);
  const found = step && (await userById(parts.database.primary(step.orgId), step.orgId, step.userId));
  if (step === undefined || found === undefined || !isValidTicket(secretKey, given.ticket, found.password_hash))
    throw new AppError('unauthenticated', 'That took too long. Sign in again.');
  return asTry(found, () =>
    beginSession(caller, parts, found, from, (transaction) => useCode(transaction, secretKey, step, given.code)),
  );
}

export interface SignInParts {
  readonly config: Pick<Config, 'secretKey'>;
  readonly sessions: Sessions;
  readonly database: Pick<Database, 'primary'>;
}

type Found = NonNullable<Awaited<ReturnType<typeof userById>>>;

/**
 * `user`: as they were when they proved who they are. Throws `unauthenticated` for somebody who was removed meanwhile, or
 * has another password: that ended all sessions, and this one would outlive it. `prove`: what else is asked for; undefined
 * for a wrong answer.
 */
export async function beginSession(
  caller: Caller,
  { sessions }: Pick<SignInParts, 'sessions'>,
  user: Found,
  from: From,
  prove: (transaction: Db) => Promise<string | undefined> = async () => 'password',
): Promise<Welcome> {
  const { org_id: orgId, organisation, id, name, email, role } = user;
  const actor = { orgId, userId: id, ...from };
  const token = await caller.within(orgId).write(async (transaction) => {
    await holdAccount(transaction, user);
    const by = await prove(transaction);
    if (by === undefined) throw wrongCode();
    await writeAudit(transaction, actor, { action: 'session.started', details: { by } });
    return sessions.create(transaction, actor);
  });
  return { token, user: { id, name, email, role }, organisation: { id: orgId, name: organisation } };
}

/** Until the transaction ends it stays as it was found. Throws `unauthenticated` when it has changed already. */
export async function holdAccount(
  transaction: Db,
  { org_id, id, password_hash }: Pick<Found, 'org_id' | 'id' | 'password_hash'>,
): Promise<void> {
  if (!(await holdPassword(transaction, org_id, id, password_hash)))
    throw new AppError('unauthenticated', 'Your account has changed meanwhile. Sign in again.');
}

/** Ends the session with this token. */
export async function signOut(
  { db, sessions }: { db: DatabaseSession; sessions: Sessions },
  actor: SignedInActor,
  token: string,
): Promise<void> {
  await db.write(async (transaction) => {
    await writeAudit(transaction, actor, { action: 'session.ended' });
    await sessions.end(transaction, token);
  });
  sessions.forgetUser(actor.orgId, actor.userId);
}

/** The signed-in person and their organisation, by name. From the primary: the session was found there. */
export function whoIs(database: Pick<Database, 'primary'>, orgId: number, userId: number) {
  return me(database.primary(orgId), orgId, userId);
}
