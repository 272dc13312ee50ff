import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Seeded, seed } from '../../../scripts/seed.ts';
import type { Db } from '../../../src/db/database.ts';
import { createTestDatabase, type TestDatabase } from '../../database.ts';

const SCALE = 0.02;
const NOW = new Date('2026-11-21T15:30:00Z');

let database: TestDatabase;
let db: Db;
let seeded: Seeded;
beforeAll(async () => {
  database = await createTestDatabase({ replica: false });
  db = database.db;
  seeded = await seed(database.ownerUrl, { scale: SCALE, now: NOW });
});
afterAll(() => database.close());

test('has the employees of the scale, and 8 to 20 teams in each organisation', async () => {
  expect(seeded['employees']).toBe(30_000 * SCALE);
  expect(await count(db, 'employees')).toBe(seeded['employees']);
  expect(await count(db, 'teams')).toBe(seeded['teams']);
  const teams = await all<{ teams: number }>(db, sql`select count(*) as teams from teams group by org_id`);
  expect(teams).toHaveLength(10);
  for (const row of teams) {
    expect(Number(row.teams)).toBeGreaterThanOrEqual(8);
    expect(Number(row.teams)).toBeLessThanOrEqual(20);
  }
});

test('has teams that count their employees, and those of them who may be written to', async () => {
  const differences = await all(
    db,
    sql`
      select t.* from teams t
      where (employees, reachable) <> (
        select count(*)::int, count(*) filter (where unsubscribed_at is null)::int
        from employees e where e.org_id = t.org_id and e.team_id = t.id)`,
  );
  expect(differences).toEqual([]);
  const [unsubscribed] = await all(
    db,
    sql`select count(*)::int as people from employees where unsubscribed_at is not null`,
  );
  expect(unsubscribed).toEqual({ people: expect.toSatisfy((people: number) => people > 0) });
});

test('takes new rows: the ids go on after the seeded ones', async () => {
  const team = await db.selectFrom('teams').orderBy('org_id').limit(1).selectAll().executeTakeFirstOrThrow();
  const employee = await db
    .insertInto('employees')
    .values({ org_id: team.org_id, team_id: team.id, email: 'new@tardigrade.test', name: 'New Here' })
    .returning('id')
    .executeTakeFirstOrThrow();
  expect(employee.id).toBe(30_000 * SCALE + 1);
});

async function count(db: Db, table: string): Promise<number> {
  const [row] = await all<{ count: string }>(db, sql`select count(*) from ${sql.table(table)}`);
  return Number(row?.count);
}

async function all<R = Record<string, unknown>>(db: Db, query: ReturnType<typeof sql>): Promise<R[]> {
  return (await query.execute(db)).rows as R[];
}
