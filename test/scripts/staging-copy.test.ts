import { afterAll, beforeAll, expect, test } from 'vitest';
import { seed } from '../../scripts/seed.ts';
import { copyDatabase } from '../../scripts/staging/copy-database.ts';
import { markDatabase } from '../../scripts/staging/mark.ts';
import { stagingRules } from '../../scripts/staging/rules.ts';
import { verifyDatabase } from '../../scripts/verify/verify-database.ts';
import { createPasswordHasher } from '../../src/http/password-hashing.ts';
import { adminUrlOf, asAdmin, createTestDatabase, type TestDatabase } from '../database.ts';
import { TEST_MODULES } from '../modules.ts';

const PASSWORD = 'the-password-of-staging';

let original: TestDatabase;
let copy: TestDatabase;
let copied: Record<string, number>;
beforeAll(async () => {
  original = await createTestDatabase({ replica: false });
  copy = await createTestDatabase({ replica: false });
  await seed(original.ownerUrl, { scale: 0.02 });
  await markDatabase(adminUrlOf(copy));
  copied = await copyInto(copy);
});
afterAll(() => Promise.all([original.close(), copy.close()]));

const copyInto = (to: TestDatabase) =>
  copyDatabase({ from: original.ownerUrl, to: adminUrlOf(to), password: PASSWORD, modules: TEST_MODULES });
const ask = (of: TestDatabase, question: string) =>
  asAdmin(async (client) => (await client.query(question)).rows, of.ownerUrl);

test('the copy has as many rows as the original, and everything that always holds holds in it', async () => {
  for (const [table, rows] of Object.entries(copied))
    expect(await ask(original, `select count(*)::int as count from ${table}`), table).toEqual([{ count: rows }]);
  expect(copied['users']).toBeGreaterThan(20);
  expect((await verifyDatabase(copy.ownerUrl)).filter(({ faults }) => faults.length > 0)).toEqual([]);
});

test('no text that could say something about somebody is the same as in the original', async () => {
  for (const [table, rule] of Object.entries(await stagingRules(TEST_MODULES))) {
    if ('leftOut' in rule) {
      if (!table.startsWith('kysely')) expect(await ask(copy, `select from ${table}`), table).toEqual([]);
      continue;
    }
    for (const [column, is] of Object.entries(rule.columns)) {
      if (is === 'kept' || is === 'dropped') continue;
      const texts = async (of: TestDatabase) =>
        (await ask(of, `select distinct ${column}::text as text from ${table} where ${column} is not null`)).map(
          ({ text }) => text,
        );
      const before = new Set(await texts(original));
      before.delete('[]');
      expect(
        (await texts(copy)).filter((text) => before.has(text)),
        `${table}.${column}`,
      ).toEqual([]);
    }
  }
});

test('what was equal or different is so still, by address and by domain', async () => {
  const shape = `select count(*)::int as all, count(distinct email)::int as addresses,
    count(distinct split_part(email, '@', 2))::int as domains from users`;
  expect(await ask(copy, shape)).toEqual(await ask(original, shape));
  expect(await ask(copy, `select from users where email !~ '\\.staging\\.test$'`)).toEqual([]);
});

test('everybody signs in with the password of staging', async () => {
  const [user] = await ask(copy, 'select password_hash as hash from users limit 1');
  expect(await createPasswordHasher().verify(PASSWORD, user.hash)).toBe(true);
});

test('a database that is not marked as staging is not written into', async () => {
  const real = await createTestDatabase({ replica: false });
  try {
    await expect(copyInto(real)).rejects.toThrow(/is not marked as staging, so nothing is written into it/);
    expect(await ask(real, 'select from organisations')).toEqual([]);
  } finally {
    await real.close();
  }
});

test('a column of the original that no rule is about stops the copy before the first row', async () => {
  const other = await createTestDatabase({ replica: false });
  try {
    await markDatabase(adminUrlOf(other));
    await ask(original, 'alter table users add column birthday text');
    await expect(copyInto(other)).rejects.toThrow(/Nothing is copied[\s\S]*users\.birthday \(text\) has no rule/);
    expect(await ask(other, 'select from organisations')).toEqual([]);
  } finally {
    await ask(original, 'alter table users drop column birthday');
    await other.close();
  }
});

test('a role that does not see all rows is told so, instead of copying some of them', async () => {
  const options = { from: original.url, to: adminUrlOf(copy), password: PASSWORD, modules: TEST_MODULES };
  await expect(copyDatabase(options)).rejects.toThrow(/permission denied|row-level security/);
});
