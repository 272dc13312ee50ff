import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OUTBOX_DAYS, RETENTION_EVERY_MS, RETENTION_STEP_ROWS } from '../../src/limits.ts';
import { PLATFORM_RETENTION, retentionLoops } from '../../src/queue/retention.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { addOrganisation } from '../organisation.ts';

let on: TestDatabase;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());

test('an event that nobody could handle for long enough is deleted, in steps, and a younger one stays', async () => {
  const orgId = await addOrganisation(on.db);
  await addEvents(orgId, RETENTION_STEP_ROWS + 5, `${OUTBOX_DAYS} days 1 minute`);
  await addEvents(orgId, 3, `${OUTBOX_DAYS - 1} days`);
  const [outbox, ...more] = retentionLoops(on.database, [{ outbox: PLATFORM_RETENTION['outbox'] as never }]);
  expect(more).toEqual([]);
  expect(outbox).toMatchObject({ name: 'retention of outbox', everyMs: RETENTION_EVERY_MS });
  expect(await outbox?.run(new AbortController().signal)).toBe(RETENTION_STEP_ROWS + 5);
  const left = await on.db.selectFrom('outbox').select('id').execute();
  expect(left).toHaveLength(3);
  expect(await outbox?.run(new AbortController().signal)).toBe(0);
});

test('a table that is kept, or deleted with another one, needs no loop', () => {
  expect(retentionLoops(on.database, [{ kept: { kept: 'a reason' }, child: { deletedWith: 'kept' } }])).toEqual([]);
});

async function addEvents(orgId: number, count: number, age: string): Promise<void> {
  await sql`
    insert into outbox (org_id, topic, payload, created_at)
    select ${orgId}::bigint, 'of.nobody', '{}', now() - ${age}::interval from generate_series(1, ${count}::int)`.execute(
    on.db,
  );
}
