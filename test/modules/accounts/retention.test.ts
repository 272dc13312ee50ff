import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RETENTION_STEP_ROWS } from '../../../src/limits.ts';
import { retention } from '../../../src/modules/accounts/retention.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';

let on: TestDatabase;
let orgId: number;
let userId: number;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  orgId = await addOrganisation(on.db);
  const user = { org_id: orgId, email: 'a@a.test', name: 'A', role: 'owner', password_hash: 'none' } as const;
  userId = (await on.db.insertInto('users').values(user).returning('id').executeTakeFirstOrThrow()).id;
});
afterAll(() => on.close());

test('expired sessions are deleted, also when there are more than one step takes, and valid ones stay', async () => {
  const expired = RETENTION_STEP_ROWS + 5;
  await addSessions(expired, '-1 hour');
  await addSessions(3, '1 hour');
  expect(await retention.sessions.forget(on.database, new AbortController().signal)).toBe(expired);
  const { rows } = await sql<{
    left: number;
  }>`select count(*)::int as left from sessions where expires_at > now()`.execute(on.db);
  expect(rows[0]?.left).toBe(3);
});

test('a stop ends the deletion before its next step', async () => {
  await addSessions(1, '-1 hour');
  expect(await retention.sessions.forget(on.database, AbortSignal.abort())).toBe(0);
});

async function addSessions(count: number, expiresIn: string): Promise<void> {
  await sql`
    insert into sessions (token_hash, org_id, user_id, expires_at)
    select sha256((${expiresIn} || n)::bytea), ${orgId}::bigint, ${userId}::bigint, now() + ${expiresIn}::interval
    from generate_series(1, ${count}::int) n`.execute(on.db);
}
