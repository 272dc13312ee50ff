/**
 * What it is: a second factor for those who set it up: codes of an authenticator app (TOTP, RFC 6238), and recovery codes.
 * What fails without it: a password that was used elsewhere too, and leaked there, opens the organisation.
 * How it works: the secret is sealed (src/http/secret-box.ts), and asks for nothing until a first code has confirmed it.
 *   A code is accepted one step early or late, and each step once, which the database decides. Recovery codes are random
 *   and stored as SHA-256. Signing in takes two steps: only the right password learns that there is a second factor, and
 *   gets a ticket for it that holds for some minutes, and only while the password stays the same.
 * What it costs: one more query for each sign-in; otplib and the QR code are loaded when the first code is needed.
 * Its bound: CODE_TRIES_MAX in CODE_TRIES_MS for each account (code-tries.ts).
 * Its proof: test/modules/accounts/second-factor.test.ts, test/modules/accounts/code-tries.test.ts.
 */
import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Database, DatabaseSession } from '../../db/read-write-split.ts';
import type { Db } from '../../db/schema.ts';
import { AppError } from '../../errors.ts';
import type { Turn } from '../../flow/fair-semaphore.ts';
import type { PasswordHasher } from '../../http/password-hashing.ts';
import { createSecretBox, type SecretBox } from '../../http/secret-box.ts';
import { type SignedInActor, writeAudit } from '../audit/audit.ts';
import { RECOVERY_CODES, SECOND_STEP_MS } from './limits.ts';
import { passwordChanged, refuseWrongPassword } from './passwords.ts';
import { passwordOf } from './queries.ts';
import {
  confirmSecondFactor,
  countRecoveryCodes,
  deleteSecondFactor,
  insertRecoveryCodes,
  insertSecondFactor,
  lockSecondFactor,
  secondFactor,
  useRecoveryCode,
  useStep,
} from './second-factor-queries.ts';

export interface SecondFactorParts {
  readonly db: DatabaseSession;
  readonly database: Pick<Database, 'primary'>;
  readonly hasher: PasswordHasher;
  readonly secretKey: string;
}

const ISSUER = 'Tardigrade';
const TOLERANCE_SECONDS = 30; // clocks differ, and people type slowly
const RECOVERY_BYTES = 10;

export async function secondFactorStatus(database: Pick<Database, 'primary'>, { orgId, userId }: SignedInActor) {
  const db = database.primary(orgId);
  const found = await secondFactor(db, orgId, userId);
  const since = found?.confirmedAt ?? null;
  return { since, recoveryCodesLeft: since === null ? 0 : await countRecoveryCodes(db, orgId, userId) };
}

/** The secret, for the app. It asks for nothing until `confirmSetUp`. Throws `forbidden` for a wrong password. */
export async function beginSetUp(parts: SecondFactorParts, actor: SignedInActor, password: string, turn: Turn) {
  const { orgId, userId } = actor;
  const { email, passwordHash } = await refuseWrongPassword(parts, actor, password, turn);
  const [{ generateSecret, generateURI }, { renderSVG }] = await Promise.all([import('otplib'), import('uqr')]);
  const secret = generateSecret();
  await parts.db.write(async (transaction) => {
    const before = await lockForPassword(transaction, actor, passwordHash);
    if (before?.confirmedAt) throw alreadySetUp();
    await insertSecondFactor(transaction, orgId, userId, boxOf(parts.secretKey).seal(placeOf(orgId, userId), secret));
  });
  const uri = generateURI({ issuer: ISSUER, label: email, secret });
  return { secret, uri, qrCode: `data:image/svg+xml;base64,${Buffer.from(renderSVG(uri)).toString('base64')}` };
}

/** From now on signing in needs a code. Returns the recovery codes, which nobody can show again. */
export async function confirmSetUp(parts: SecondFactorParts, actor: SignedInActor, code: string): Promise<string[]> {
  const { orgId, userId } = actor;
  const codes = Array.from({ length: RECOVERY_CODES }, createRecoveryCode);
  await parts.db.write(async (transaction) => {
    const found = await lockSecondFactor(transaction, orgId, userId);
    if (found === undefined) throw new AppError('conflict', 'Begin with POST /api/v1/second-factor.');
    if (found.confirmedAt !== null) throw alreadySetUp();
    if (!(await isRightCode(transaction, parts.secretKey, { orgId, userId }, code))) throw wrongCode();
    await confirmSecondFactor(transaction, orgId, userId);
    await insertRecoveryCodes(transaction, orgId, userId, codes.map(hashOfCode));
    await writeAudit(transaction, actor, { action: 'second-factor.set-up' });
  });
  return codes;
}

/**
 * With a code of the app or a recovery code, because somebody who has taken over a session may know the password as well.
 * Throws `forbidden` for a wrong password or code, `not_found` when there is none.
 */
export async function removeSecondFactor(
  parts: SecondFactorParts,
  actor: SignedInActor,
  given: { password: string; code: string },
  turn: Turn,
) {
  const { orgId, userId } = actor;
  const { passwordHash } = await refuseWrongPassword(parts, actor, given.password, turn);
  await parts.db.write(async (transaction) => {
    if (!(await lockForPassword(transaction, actor, passwordHash))?.confirmedAt)
      throw new AppError('not_found', 'You have no second factor.');
    if ((await useCode(transaction, parts.secretKey, actor, given.code)) === undefined) throw wrongCode();
    await deleteSecondFactor(transaction, orgId, userId);
    await writeAudit(transaction, actor, { action: 'second-factor.removed' });
  });
}

/** Throws `forbidden` when the password is not the verified one any more. From here on neither changes. */
async function lockForPassword(transaction: Db, { orgId, userId }: SecondStep, verified: string) {
  const factor = await lockSecondFactor(transaction, orgId, userId);
  if ((await passwordOf(transaction, orgId, userId))?.password_hash !== verified) throw passwordChanged();
  return factor;
}

/** Whose password was right, and is to show the second factor now. */
export interface SecondStep {
  readonly orgId: number;
  readonly userId: number;
}

/** `passwordHash`: as it is stored now. With another one the ticket does not hold. */
export function createSecondStepTicket(secretKey: string, { orgId, userId }: SecondStep, passwordHash: string): string {
  const payload = [orgId, userId, Date.now() + SECOND_STEP_MS].map((number) => number.toString(36)).join('.');
  return `${payload}.${sign(secretKey, payload, passwordHash)}`;
}

/** What the ticket says, before anybody has looked at its signature. */
export function unverifiedStep(ticket: string): SecondStep | undefined {
  const match = TICKET.exec(ticket);
  return match === null ? undefined : { orgId: fromBase36(match[1]), userId: fromBase36(match[2]) };
}

export function isValidTicket(secretKey: string, ticket: string, passwordHash: string): boolean {
  const [, org, user, until, signature = ''] = TICKET.exec(ticket) ?? [];
  const expected = Buffer.from(sign(secretKey, `${org}.${user}.${until}`, passwordHash));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected) && fromBase36(until) > Date.now();
}

/** Whether the user has one that asks for codes. */
export async function hasSecondFactor(db: Db, { orgId, userId }: SecondStep): Promise<boolean> {
  return ((await secondFactor(db, orgId, userId))?.confirmedAt ?? null) !== null;
}

/** A code of the app or a recovery code; either is used up by it. `recovery`: it was one of those. */
export async function useCode(
  transaction: Db,
  secretKey: string,
  step: SecondStep,
  given: string,
): Promise<'app' | 'recovery' | undefined> {
  const code = plain(given);
  if (IS_OF_APP.test(code)) return (await isRightCode(transaction, secretKey, step, code)) ? 'app' : undefined;
  return (await useRecoveryCode(transaction, step.orgId, step.userId, hashOfCode(code))) ? 'recovery' : undefined;
}

export function wrongCode(): AppError {
  return new AppError('forbidden', 'This code is wrong, or was used before. Wait for the next one.');
}

async function isRightCode(transaction: Db, secretKey: string, { orgId, userId }: SecondStep, given: string) {
  const found = await secondFactor(transaction, orgId, userId);
  const token = plain(given);
  if (found === undefined || !IS_OF_APP.test(token)) return false;
  const { verifySync } = await import('otplib');
  const secret = opened(secretKey, placeOf(orgId, userId), found.sealedSecret);
  const result = verifySync({ secret, token, epochTolerance: TOLERANCE_SECONDS });
  return result.valid && 'timeStep' in result && useStep(transaction, orgId, userId, result.timeStep);
}

function createRecoveryCode(): string {
  return (randomBytes(RECOVERY_BYTES).toString('hex').match(/.{5}/g) ?? []).join('-');
}

/** Random, so a slow hash would add nothing. */
function hashOfCode(code: string): Buffer {
  return hash('sha256', plain(code), 'buffer');
}

const IS_OF_APP = /^\d{6}$/;

/** However it is typed: in groups, in capitals, with the dashes of a word processor, in the full width of Japanese keyboards. */
function plain(code: string): string {
  return code
    .normalize('NFKC')
    .replace(/[\s\p{Dash}]/gu, '')
    .toLowerCase();
}

function boxOf(secretKey: string): SecretBox {
  return createSecretBox(secretKey, 'second factor');
}

/** Throws `forbidden` for one that was sealed under another SECRET_KEY. */
function opened(secretKey: string, place: string, sealed: Buffer): string {
  try {
    return boxOf(secretKey).open(place, sealed);
  } catch {
    throw new AppError(
      'forbidden',
      'The codes of your app cannot be checked any more. Use a recovery code, turn the second factor off, and set it up again.',
    );
  }
}

const placeOf = (orgId: number, userId: number) => `${orgId}/${userId}`;
const TICKET = /^([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.([\w-]{43})$/;
const fromBase36 = (text = '') => Number.parseInt(text, 36);

function sign(secretKey: string, payload: string, passwordHash: string): string {
  return createHmac('sha256', secretKey).update(`second step\0${payload}\0${passwordHash}`).digest('base64url');
}

function alreadySetUp(): AppError {
  return new AppError('conflict', 'You have a second factor already: remove it first.');
}
