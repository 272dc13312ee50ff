import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RETENTION_STEP_ROWS } from '../../../../src/limits.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { addOrganisation } from '../../../../test/organisation.ts';
import { NOTES_DONE_DAYS } from '../../../src/modules/notes/limits.ts';
import { retention } from '../../../src/modules/notes/retention.ts';

let on: TestDatabase;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());

test('notes that were done longer ago than the retention are deleted, in steps and in every organisation', async () => {
  const old = `${NOTES_DONE_DAYS} days 1 minute`;
  const [large, small] = [await addOrganisation(on.db), await addOrganisation(on.db)];
  await insertNotes(large, RETENTION_STEP_ROWS + 20, 'done', old);
  await insertNotes(small, 3, 'done', old);
  await insertNotes(small, 4, 'done', `${NOTES_DONE_DAYS - 1} days`);
  await insertNotes(small, 5, 'open', old);
  expect(await forget()).toBe(RETENTION_STEP_ROWS + 23);
  expect(await notesOf(large)).toBe(0);
  expect(await notesOf(small)).toBe(9);
  expect(await forget()).toBe(0);
});

function forget(): Promise<number> {
  return retention.notes.forget(on.database, new AbortController().signal);
}

async function insertNotes(orgId: number, count: number, status: 'open' | 'done', ago: string): Promise<void> {
  await sql`
    insert into notes (org_id, title, body, status, updated_at)
    select ${orgId}::bigint, 'Note ' || n, '', ${status}, now() - ${ago}::interval from generate_series(1, ${count}::int) n`.execute(
    on.db,
  );
}

async function notesOf(orgId: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*)::int from notes where org_id = ${orgId}`.execute(on.db);
  return rows[0]?.count ?? 0;
}
