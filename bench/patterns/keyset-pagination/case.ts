import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import { benchOrganisation, copyEmployees } from '../bench-organisation.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';

export type EmployeeRow = { readonly id: number; readonly name: string; readonly email: string };
type Variant = { walkEmployees(db: Db, orgId: number, pageRows: number): AsyncGenerator<EmployeeRow[]> };
type Input = { readonly employees: number; readonly insertsMeanwhile: boolean };

const SIZE = { conversations: 200_000, answersEach: 5 };
const PAGE_ROWS = 200;
/** The naive walk reads every page's predecessors again: this many times the CPU of one pass is broken. */
const SLOWER_FACTOR = 5;

export const pattern: PatternCase<Variant, Input> = {
  slug: 'keyset-pagination',
  asks: `Walk through ${SIZE.conversations} employees, ${PAGE_ROWS} at a time, while somebody deletes from the beginning of the list.`,
  breaks: `employees that stand all the time are missed, or the walk takes ${SLOWER_FACTOR} times as long`,
  holds: 'every employee that stands all the time is seen exactly once',
  needs: ['database'],
  small: { employees: 2_000, insertsMeanwhile: false },
  full: { employees: SIZE.conversations, insertsMeanwhile: true },

  async prepare({ databaseUrl }) {
    await benchOrganisation(databaseUrl, SIZE);
  },

  async perform(variant, input, { databaseUrl }) {
    const { unscoped: db, close } = openBenchPool(databaseUrl, 1);
    const source = await benchOrganisation(databaseUrl, SIZE);
    const orgId = await copyEmployees(db, source, input.employees);
    const hash = createHash('sha256');
    const seen = new Set<number>();
    let twice = 0;
    let pages = 0;
    const begun = performance.now();
    for await (const rows of variant.walkEmployees(db, orgId, PAGE_ROWS)) {
      for (const row of rows) {
        if (seen.has(row.id)) twice++;
        seen.add(row.id);
        hash.update(row.email);
      }
      // Five people at the beginning of the list, long passed by the walk, leave: everything behind them moves up.
      if (input.insertsMeanwhile && ++pages % 10 === 0) await deleteFirst(db, orgId, 5);
    }
    const walkSeconds = (performance.now() - begun) / 1000;
    const missed = await standing(db, orgId, seen);
    await sql`delete from employees where org_id = ${orgId}`.execute(db);
    await close();
    return { digest: hash.digest('hex'), figures: { seen: seen.size, missed, twice, walkSeconds } };
  },

  isBroken: (naive, hardened) =>
    naive.ending === 'too slow' ||
    (naive.figures.missed ?? 0) > 0 ||
    (naive.figures.walkSeconds ?? 0) > SLOWER_FACTOR * (hardened.figures.walkSeconds ?? Number.POSITIVE_INFINITY),
  isHeld: (hardened) => hardened.ending === 'finished' && hardened.figures.missed === 0 && hardened.figures.twice === 0,
};

/** What the naive page reads: the same rows in the same order, found by counting. */
export async function employeesByOffset(db: Db, orgId: number, offset: number, limit: number): Promise<EmployeeRow[]> {
  return db
    .selectFrom('employees')
    .innerJoin('teams', (join) =>
      join.onRef('teams.org_id', '=', 'employees.org_id').onRef('teams.id', '=', 'employees.team_id'),
    )
    .where('employees.org_id', '=', orgId)
    .select(['employees.id', 'employees.name', 'employees.email', 'teams.name as team'])
    .orderBy('employees.id')
    .limit(limit)
    .offset(offset)
    .execute();
}

async function deleteFirst(db: Db, orgId: number, count: number): Promise<void> {
  await sql`delete from employees where org_id = ${orgId} and id in (select id from employees where org_id = ${orgId} order by id limit ${count})`.execute(
    db,
  );
}

/** How many of those that are still there were not seen. */
async function standing(db: Db, orgId: number, seen: ReadonlySet<number>): Promise<number> {
  const rows = await db.selectFrom('employees').where('org_id', '=', orgId).select('id').execute();
  return rows.filter((row) => !seen.has(row.id)).length;
}
