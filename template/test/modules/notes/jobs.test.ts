import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSession } from '../../../../src/db/read-write-split.ts';
import { createLog } from '../../../../src/log.ts';
import { relayOutbox } from '../../../../src/queue/transactional-outbox.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { addOrganisation } from '../../../../test/organisation.ts';
import { jobs } from '../../../src/modules/notes/jobs.ts';
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

async function write(orgId: number, count: number): Promise<void> {
  const session = createSession(on.database, orgId);
  for (let n = 0; n < count; n++) await writeNote(session, { orgId }, { title: `Note ${n}`, body: '' });
}

/** What the mailer does every half second. */
function deliver(): Promise<number> {
  const { topics = {} } = jobs();
  return relayOutbox(on.database, topics, log);
}

async function countedOf(orgId: number): Promise<number> {
  const { rows } = await sql<{ written: number }>`
    select written from note_days where org_id = ${orgId} and day = (now() at time zone 'utc')::date`.execute(on.db);
  return rows[0]?.written ?? 0;
}
