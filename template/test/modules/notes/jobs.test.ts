import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSession } from '../../../../src/db/read-write-split.ts';
import { RETENTION_STEP_ROWS } from '../../../../src/limits.ts';
import { createLog } from '../../../../src/log.ts';
import type { JobsContext } from '../../../../src/modules/faces.ts';
import { relayOutbox } from '../../../../src/queue/transactional-outbox.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { addOrganisation } from '../../../../test/organisation.ts';
import { forgetOldNotes, jobs } from '../../../src/modules/notes/jobs.ts';
import { NOTES_DONE_DAYS } from '../../../src/modules/notes/limits.ts';
import { countWritten, writeNote } from '../../../src/modules/notes/notes.ts';

const log = createLog('test', 'silent');
let on: TestDatabase;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());

test('each note is counted on the day on which it was written, in its own organisation', async () => {
  const [one, other] = [await addOrganisation(on.db), await addOrganisation(on.db)];
  await write(one, 3);
  await write(other, 2);
  await deliver();
  expect(await countedOf(one)).toBe(3);
  expect(await countedOf(other)).toBe(2);
  await write(one, 1);
  await deliver();
  expect(await countedOf(one)).toBe(4);
});

test('a note is counted exactly once, also when its event is delivered again after a failure', async () => {
  const orgId = await addOrganisation(on.db);
  await write(orgId, 1);
  await relayOutbox(
    on.database,
    {
      'note.written': async (events, transaction) => {
        await countWritten(transaction, events);
        throw new Error('The mailer failed after it had counted');
      },
    },
    log,
  );
  expect(await countedOf(orgId)).toBe(0);
  await sql`update outbox set due_at = now()`.execute(on.db);
  await deliver();
  await deliver();
  expect(await countedOf(orgId)).toBe(1);
});

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

async function write(orgId: number, count: number): Promise<void> {
  const session = createSession(on.database, orgId);
  for (let n = 0; n < count; n++) await writeNote(session, orgId, { title: `Note ${n}`, body: '' });
}

/** What the mailer does every half second. */
function deliver(): Promise<number> {
  const { topics = {} } = jobs({ database: on.database } as JobsContext);
  return relayOutbox(on.database, topics, log);
}

function forget(): Promise<number> {
  return forgetOldNotes(on.database, new AbortController().signal);
}

async function countedOf(orgId: number): Promise<number> {
  const { rows } = await sql<{ written: number }>`
    select written from note_days where org_id = ${orgId} and day = (now() at time zone 'utc')::date`.execute(on.db);
  return rows[0]?.written ?? 0;
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
