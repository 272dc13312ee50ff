import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EVERY_ORGANISATION } from '../../../src/db/tenant-isolation.ts';
import { accessOf } from '../../../src/modules/accounts/held-access.ts';
import type { Holder } from '../../../src/socket/ticket.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { addOrganisation, addSignedIn } from '../../organisation.ts';

let on: TestDatabase;
let orgId: number;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  orgId = await addOrganisation(on.db);
});
afterAll(() => on.close());

const access = (holders: readonly Holder[]) => accessOf(on.database.primary(EVERY_ORGANISATION), holders);

test('a session, a key and a person without either are as they were', async () => {
  expect(
    await access([await withSession(), await withKey(), { ...(await withSession()), sessionId: undefined }]),
  ).toEqual([...['same', 'same', 'same']]);
});

test.each([
  ['a session that was ended', () => withSession(), 'delete from sessions where id = $session'],
  ['a session that has expired', () => withSession(), 'update sessions set expires_at = now() where id = $session'],
  ['a key that was revoked', () => withKey(), 'delete from api_keys where user_id = $user'],
  ['a key that has expired', () => withKey(), 'update api_keys set expires_at = now() where user_id = $user'],
  ['a member who was removed', () => withSession(), 'delete from users where id = $user'],
])('%s is no access any more, and nobody else loses theirs', async (_, create, statement) => {
  const [one, other] = [await create(), await create()];
  const text = statement.replace('$session', String(one.sessionId)).replace('$user', String(one.userId));
  await sql.raw(text).execute(on.db);
  expect(await access([other, one, other])).toEqual(['same', 'ended', 'same']);
});

test('a role that was changed is another access', async () => {
  const one = await withSession();
  await sql`update users set role = 'viewer' where id = ${one.userId}`.execute(on.db);
  expect(await access([one])).toEqual(['changed']);
});

test('a session counts for its own person and organisation only', async () => {
  const [one, other] = [await withSession(), await withSession()];
  const strange = { ...one, orgId: await addOrganisation(on.db) };
  expect(await access([{ ...one, sessionId: other.sessionId }, strange])).toEqual(['ended', 'ended']);
});

async function withSession(): Promise<Holder> {
  return { ...(await addSignedIn(on.db, orgId)), role: 'admin' };
}

async function withKey(): Promise<Holder> {
  const { userId } = await addSignedIn(on.db, orgId);
  const prefix = `tardigrade_${randomBytes(4).toString('hex')}`;
  await on.db
    .insertInto('api_keys')
    .values({ org_id: orgId, user_id: userId, name: 'A key', prefix, key_hash: randomBytes(32), scope: 'write' })
    .execute();
  return { orgId, userId, role: 'admin', apiKey: prefix };
}
