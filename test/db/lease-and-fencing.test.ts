import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { isStillHeld, leased, leaseEnd } from '../../src/db/lease-and-fencing.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';

let on: TestDatabase;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
  await sql`create table tasks (id integer, claim integer default 0, due_at timestamptz default now(), outcome text)`.execute(
    on.db,
  );
});
afterAll(() => on.close());
beforeEach(async () => {
  await sql`delete from tasks`.execute(on.db);
  await sql`insert into tasks (id) values (1)`.execute(on.db);
});

async function take(leaseMs: number): Promise<number | undefined> {
  const { rows } = await sql<{ claim: number }>`
    update tasks as t set ${leased('t', leaseMs)} where due_at <= now() returning claim`.execute(on.db);
  return rows[0]?.claim;
}

async function record(claim: number, outcome: string): Promise<number> {
  const { numAffectedRows } = await sql`
    update tasks as t set outcome = ${outcome} from (values (1, ${claim}::integer)) as given (id, claim)
    where ${isStillHeld('t', 'given')}`.execute(on.db);
  return Number(numAffectedRows);
}

test('a row is taken by one at a time, until its lease ends', async () => {
  expect(await take(60_000)).toBe(1);
  expect(await take(60_000)).toBeUndefined();
  await sql`update tasks set due_at = now()`.execute(on.db);
  expect(await take(60_000)).toBe(2);
});

test('whoever comes after the end of the lease changes nothing', async () => {
  const late = (await take(0)) as number;
  const holder = (await take(60_000)) as number;
  expect(await record(late, 'late')).toBe(0);
  expect(await record(holder, 'in time')).toBe(1);
  expect(await record(late, 'late')).toBe(0);
});

test('a lease can run out without harm as long as nobody else takes the row', async () => {
  const only = (await take(0)) as number;
  expect(await record(only, 'a little late')).toBe(1);
});

test('a lease that is extended keeps others away', async () => {
  await take(0);
  await sql`update tasks set due_at = ${leaseEnd(60_000)}`.execute(on.db);
  expect(await take(60_000)).toBeUndefined();
});
