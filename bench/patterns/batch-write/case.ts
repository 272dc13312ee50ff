import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import { backendCpuSeconds } from '../backend-cpu.ts';
import { benchOrganisation, copyEmployees } from '../bench-organisation.ts';
import { BENCH_APPLICATION, openBenchPool } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';

export type Person = { readonly email: string; readonly name: string; readonly team_id: number };
type Variant = { writePeople(db: Db, orgId: number, people: readonly Person[]): Promise<void> };
type Input = { readonly people: number };

const SIZE = { conversations: 200_000, answersEach: 5 };
const PEOPLE = 20_000;
/** With the server on the same machine, where a round trip costs least. Over a network the naive twin waits for one per row. */
const SLOWER_FACTOR = 3;

export const pattern: PatternCase<Variant, Input> = {
  slug: 'batch-write',
  asks: `Import ${PEOPLE} people: half of them are new, half have a new name.`,
  breaks: `it takes ${SLOWER_FACTOR} times as long, even with the server on the same machine`,
  holds: 'everybody is written',
  needs: ['database'],
  small: { people: 1_200 },
  full: { people: PEOPLE },

  async prepare({ databaseUrl }) {
    await benchOrganisation(databaseUrl, SIZE);
  },

  async perform(variant, { people }, { databaseUrl }) {
    const pool = openBenchPool(databaseUrl, 1);
    const db = pool.unscoped;
    const orgId = await copyEmployees(db, await benchOrganisation(databaseUrl, SIZE), people / 2);
    const given = await renamed(db, orgId, people);
    const cpuBefore = await backendCpuSeconds(db, BENCH_APPLICATION);
    const begun = performance.now();
    await variant.writePeople(db, orgId, given);
    const writeSeconds = (performance.now() - begun) / 1000;
    const serverCpuSeconds = (await backendCpuSeconds(db, BENCH_APPLICATION)) - cpuBefore;
    const { digest, written } = await stored(db, orgId);
    await sql`delete from employees where org_id = ${orgId}`.execute(db);
    await pool.close();
    return { digest, figures: { written, writeSeconds, serverCpuSeconds } };
  },

  isBroken: (naive, hardened) =>
    naive.ending === 'too slow' ||
    (naive.figures.writeSeconds ?? 0) > SLOWER_FACTOR * (hardened.figures.writeSeconds ?? Number.POSITIVE_INFINITY),
  isHeld: (hardened) => hardened.ending === 'finished' && hardened.figures.written === PEOPLE,
};

/** What the naive twin writes a row with: the same decision as the product's, for one. */
export async function upsertOne(db: Db, orgId: number, person: Person): Promise<void> {
  await db
    .insertInto('employees')
    .values({ org_id: orgId, ...person })
    .onConflict((conflict) =>
      conflict
        .columns(['org_id', 'email'])
        .doUpdateSet((given) => ({ name: given.ref('excluded.name'), team_id: given.ref('excluded.team_id') })),
    )
    .execute();
}

/** As a file has them: in no order that the database could use. */
async function renamed(db: Db, orgId: number, count: number): Promise<Person[]> {
  const { rows } = await sql<Person>`
    select 'bench-' || n || '@example.test' as email, 'Renamed Person ' || n as name, teams.id as team_id
    from generate_series(1, ${count}::int) n, teams where org_id = ${orgId} order by md5(n::text)`.execute(db);
  return rows;
}

async function stored(db: Db, orgId: number): Promise<{ digest: string; written: number }> {
  const hash = createHash('sha256');
  const rows = await db
    .selectFrom('employees')
    .where('org_id', '=', orgId)
    .select(['email', 'name'])
    .orderBy('email')
    .execute();
  for (const { email, name } of rows) hash.update(`${email} ${name}\n`);
  return { digest: hash.digest('hex'), written: rows.filter(({ name }) => name.startsWith('Renamed')).length };
}
