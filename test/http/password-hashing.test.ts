import { argon2Sync, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPasswordHasher, hashesAtOnce, NO_PASSWORD } from '../../src/http/password-hashing.ts';
import { PASSWORD_HASHES_AT_ONCE_MAX, PASSWORD_HASHES_WAITING_MAX } from '../../src/limits.ts';

const hasher = createPasswordHasher();
const PASSWORD = 'correct horse battery staple';

/** Nobody waits for too long, however long a busy machine takes for a hash. */
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

test('a hash is a PHC string with its own salt and the parameters of OWASP', async () => {
  const [one, two] = await Promise.all([hasher.hash(PASSWORD), hasher.hash(PASSWORD)]);
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  expect(two).not.toBe(one);
});

test('the right password is right, any other is wrong', async () => {
  const stored = await hasher.hash(PASSWORD);
  expect(await hasher.verify(PASSWORD, stored)).toBe(true);
  expect(await hasher.verify(`${PASSWORD} `, stored)).toBe(false);
  expect(await hasher.verify(PASSWORD.toUpperCase(), stored)).toBe(false);
});

test('a hash that was made with other parameters is still understood', async () => {
  const known = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  expect(await hasher.verify('password', known)).toBe(true);
  expect(await hasher.verify('Password', known)).toBe(false);
});

test.each([
  ['composed', 'Zoë lacht über Ærø'],
  ['decomposed', 'Zoë lacht über Ærø'.normalize('NFD')],
  ['in full width', 'ｐａｓｓｗｏｒｄ ｏｆ ｏｌｄ'],
])(
  'a hash of a password that was typed %s, from before passwords were normalised, is still matched',
  async (_, typed) => {
    const stored = hashedAsTyped(typed);
    for (const given of [typed, typed.normalize('NFC')]) expect(await hasher.verify(given, stored)).toBe(true);
    expect(await hasher.verify(`${typed}!`, stored)).toBe(false);
  },
);

test('an unknown user is refused, and takes as long as a wrong password', async () => {
  const stored = await hasher.hash(PASSWORD);
  const wrongMs = await cheapestMs(() => hasher.verify('wrong', stored));
  const unknownMs = await cheapestMs(() => hasher.verify('wrong', undefined));
  expect(await hasher.verify('wrong', undefined)).toBe(false);
  expect(unknownMs / wrongMs).toBeGreaterThan(0.5);
  expect(unknownMs / wrongMs).toBeLessThan(2);
});

test('somebody who has no password is refused, and takes as long as a wrong password', async () => {
  for (const given of [PASSWORD, '', NO_PASSWORD]) expect(await hasher.verify(given, NO_PASSWORD)).toBe(false);
  const stored = await hasher.hash(PASSWORD);
  const wrongMs = await cheapestMs(() => hasher.verify('wrong', stored));
  expect((await cheapestMs(() => hasher.verify('wrong', NO_PASSWORD))) / wrongMs).toBeGreaterThan(0.5);
});

test('a stored text that is not a hash is an error, and never matches a password', async () => {
  await expect(hasher.verify('', '')).rejects.toThrow('not an argon2id PHC string');
  await expect(hasher.verify('$2b$10$abc', '$2b$10$abc')).rejects.toThrow('not an argon2id PHC string');
});

test('sign-ins beyond those that run and wait are refused with a time to come back, the others are served', async () => {
  const hasher = createPasswordHasher();
  const room = hashesAtOnce() + PASSWORD_HASHES_WAITING_MAX;
  const outcomes = Promise.allSettled(Array.from({ length: room + 5 }, () => hasher.hash(PASSWORD)));
  expect(hasher.waiting).toBe(PASSWORD_HASHES_WAITING_MAX);
  const settled = await outcomes;
  expect(settled.slice(0, room).every(({ status }) => status === 'fulfilled')).toBe(true);
  for (const refused of settled.slice(room)) {
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'overloaded', retryAfterSeconds: 2 } });
  }
  expect(hasher.waiting).toBe(0);
  expect(await hasher.hash(PASSWORD)).toContain('$argon2id$');
});

test('a password that was judged is judged, however it was typed: a queue that has filled up meanwhile changes nothing', async () => {
  const hasher = createPasswordHasher(1);
  const stored = await hasher.hash(PASSWORD);
  let isGone = false;
  const turn = { key: 'all', isGone: () => isGone };
  const judged = hasher.verify('ｗｒｏｎｇ', stored, turn);
  const line = Promise.allSettled(
    Array.from({ length: PASSWORD_HASHES_WAITING_MAX }, () => hasher.hash(PASSWORD, turn)),
  );
  const outcome = await judged.catch(({ code }) => code);
  isGone = true; // the others need not be waited for
  await line;
  expect(outcome).toBe(false);
});

test.each([
  [1, 1],
  [2, 1],
  [3, 2],
  [64, PASSWORD_HASHES_AT_ONCE_MAX],
])('of %i cores hashes take %i, so that somebody who does not sign in has one', async (cores, atOnce) => {
  const burst = createPasswordHasher(cores);
  const hashing = Array.from({ length: 4 }, () => burst.hash(PASSWORD));
  expect(burst.waiting).toBe(4 - atOnce);
  await Promise.all(hashing);
});

/** Processor time of the whole process, threads included: waiting for a busy machine does not count. */
async function cheapestMs(work: () => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let n = 0; n < 5; n++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1_000);
  }
  return best;
}

function hashedAsTyped(password: string): string {
  const nonce = randomBytes(16);
  const parameters = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 };
  const tag = argon2Sync('argon2id', { ...parameters, message: password, nonce });
  const text = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=19456,t=2,p=1$${text(nonce)}$${text(tag)}`;
}
