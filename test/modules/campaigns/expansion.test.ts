import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../../src/db/read-write-split.ts';
import { expandLedger } from '../../../src/modules/campaigns/expansion.ts';
import { type SendingCampaign, sendingCampaign } from '../../../src/modules/campaigns/ledger.ts';
import { EXPAND_AWAIT_MAX_MS, EXPAND_PAGE_ROWS } from '../../../src/modules/campaigns/limits.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';
import { addOrganisation } from '../../organisation.ts';
import { addEmployees } from '../employees/people.ts';
import { addLaunched, campaignOf, countedInLedger } from './drafts.ts';

let on: TestDatabase;
let orgId: number;
beforeAll(async () => {
  on = await createTestDatabase();
});
afterAll(() => on.close());
beforeEach(async () => {
  orgId = await addOrganisation(on.db);
});

const launched = async (): Promise<number> => addLaunched(on.database, orgId);
const now = async (id: number) => (await sendingCampaign(on.db, orgId, id)) as SendingCampaign;

/** An import in a transaction of its own, which is still open. */
async function openImport(people: number): Promise<Client> {
  const client = new Client({ connectionString: on.ownerUrl });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query("insert into teams (org_id, name) values ($1, 'Early')", [orgId]);
  await client.query('begin');
  await client.query(
    `insert into employees (org_id, team_id, name, email)
     select $1, id, 'Early ' || n, 'early-' || n || '@expansion.test' from teams, generate_series(1, $2::int) as n
     where org_id = $1 and name = 'Early'`,
    [orgId, people],
  );
  return client;
}

async function addLate(people: number): Promise<void> {
  await sql`insert into teams (org_id, name) values (${orgId}, 'Late')`.execute(on.db);
  await sql`
    insert into employees (org_id, team_id, name, email)
    select ${orgId}::bigint, id, 'Late ' || n, 'late-' || n || '@expansion.test' from teams, generate_series(1, ${people}::int) as n
    where org_id = ${orgId} and name = 'Late'`.execute(on.db);
}

/** Returns how many pages it took. */
async function expandAll(id: number, database: Database = on.database): Promise<number> {
  for (let pages = 1; pages < 20; pages++) if ((await expandLedger(database, await now(id))) === null) return pages;
  throw new Error('The ledger has no end');
}

test('people whose import was open at the launch are written to, though later ones were before them', async () => {
  const early = await openImport(3);
  await addLate(5);
  const id = await launched();
  // The others do not wait for them, and the ledger is not complete.
  expect(await expandLedger(on.database, await now(id))).toBeGreaterThan(0);
  expect(await countedInLedger(on.db, orgId, id)).toMatchObject({ recipients: 5 });
  expect(await expandLedger(on.database, await now(id))).toBeGreaterThan(0);

  await early.query('commit');
  await expandAll(id);
  expect(await countedInLedger(on.db, orgId, id)).toMatchObject({ recipients: 8 });
  expect((await campaignOf(on.db, orgId, id)).progress.recipients).toBe(8);
});

test('a transaction that stays open does not keep a campaign from its end', async () => {
  await openImport(3);
  await addLate(5);
  const id = await launched();
  expect(await expandLedger(on.database, await now(id))).toBeGreaterThan(0);
  const long = EXPAND_AWAIT_MAX_MS / 1_000 + 1;
  await sql`update campaigns set launched_at = now() - make_interval(secs => ${long}) where id = ${id}`.execute(on.db);
  await expandAll(id);
  expect(await countedInLedger(on.db, orgId, id)).toMatchObject({ recipients: 5 });
});

test('the pages are read from the replica, at the position of the launch, and each only once', async () => {
  await addEmployees(on.db, orgId, EXPAND_PAGE_ROWS * 2 + 1, 'expansion.test');
  const id = await launched();
  const positions: unknown[] = [];
  const watched: Database = {
    ...on.database,
    read: (scope, position, query) => {
      positions.push(position);
      return on.database.read(scope, position, query);
    },
  };
  expect(await expandAll(id, watched)).toBe(3);
  expect(positions).toHaveLength(3);
  expect(positions.every((position) => /^\d+:[0-9A-F]+\/[0-9A-F]+$/.test(String(position)))).toBe(true);
  expect(await countedInLedger(on.db, orgId, id)).toMatchObject({ recipients: EXPAND_PAGE_ROWS * 2 + 1 });
});
