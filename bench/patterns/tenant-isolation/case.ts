import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import { PAGE_ROWS_DEFAULT } from '../../../src/limits.ts';
import { employeesPage } from '../../../src/modules/employees/queries.ts';
import { backendCpuSeconds } from '../backend-cpu.ts';
import { benchOrganisation, copyEmployees } from '../bench-organisation.ts';
import { BENCH_APPLICATION, openBenchPool } from '../bench-pool.ts';
import type { PatternCase, Servers } from '../pattern.ts';

export type Opened = { within(orgId: number): Db; close(): Promise<void> };
type Variant = { open(servers: Servers): Opened };
type Input = { readonly questions: number; readonly forgetful: boolean; readonly rounds: number };
type Ask = (db: Db, n: number) => Promise<unknown>;
type Side = { ms: number[]; cpuSeconds: number };

const SIZE = { conversations: 200_000, answersEach: 5 };
const QUESTIONS = 500;
const FORGETS_EVERY = 10;
const COST_RATIO_MAX = 1.5;
const NEIGHBOURS = 500;
/** The page of a list, as the product asks for it; and one row by its key, where there is the least work to hide a cost in. */
const [PAGES, POINTS] = [100, 400];

export const pattern: PatternCase<Variant, Input> = {
  slug: 'tenant-isolation',
  asks: `Look up ${QUESTIONS} people of one organisation by their address; one query of ${FORGETS_EVERY} has forgotten whose they must be.`,
  breaks: 'people of another organisation are shown',
  holds: `nobody of another organisation is shown, and a page or a row takes at most ${COST_RATIO_MAX} times as long`,
  needs: ['database'],
  small: { questions: 60, forgetful: false, rounds: 0 },
  full: { questions: QUESTIONS, forgetful: true, rounds: 31 },

  async prepare({ databaseUrl }) {
    await benchOrganisation(databaseUrl, SIZE);
  },

  async perform(variant, { questions, forgetful, rounds }, servers) {
    const owner = openBenchPool(servers.databaseUrl, 1);
    const neighbour = await benchOrganisation(servers.databaseUrl, SIZE);
    // The neighbour has people of the very same addresses: a consultant, say, who works for both.
    const orgId = await copyEmployees(owner.unscoped, neighbour, NEIGHBOURS);
    const { within, close } = variant.open(servers);
    const hash = createHash('sha256');
    const seen = { ownRows: 0, foreignRows: 0 };
    for (let n = 0; n < questions; n++) {
      const forgets = forgetful && n % FORGETS_EVERY === 0;
      const look = forgets ? peopleOfAddress : ownPeopleOfAddress;
      for (const row of await look(within(orgId), `bench-${1 + (n % NEIGHBOURS)}@example.test`, orgId)) {
        seen[row.org_id === orgId ? 'ownRows' : 'foreignRows']++;
        hash.update(`${row.email} ${row.name}\n`);
      }
    }
    // What does it cost? That is asked of the twin that lets nobody through.
    const cost =
      rounds > 0 && seen.foreignRows === 0 ? await costOf(within, servers.databaseUrl, neighbour, rounds) : {};
    await close();
    await sql`delete from employees where org_id = ${orgId}`.execute(owner.unscoped);
    await owner.close();
    return { digest: hash.digest('hex'), figures: { ...seen, ...cost } };
  },

  isBroken: (naive) => (naive.figures.foreignRows ?? 0) > 0,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' &&
    figures.foreignRows === 0 &&
    figures.ownRows === QUESTIONS &&
    Math.max(figures.pageCostRatio ?? Infinity, figures.pointCostRatio ?? Infinity) <= COST_RATIO_MAX,
};

function ownPeopleOfAddress(db: Db, email: string, orgId: number) {
  return db
    .selectFrom('employees')
    .where('org_id', '=', orgId)
    .where('email', '=', email)
    .select(['org_id', 'name', 'email'])
    .execute();
}

/** The same; one line was lost. */
function peopleOfAddress(db: Db, email: string) {
  return db.selectFrom('employees').where('email', '=', email).select(['org_id', 'name', 'email']).execute();
}

/** Pages and single rows of a large organisation, scoped against bare, block by block in turn; both have their filters. */
async function costOf(within: Opened['within'], databaseUrl: string, orgId: number, rounds: number) {
  // The scope keeps one plan for all values; the owner's connection is told to do the same, so that this is not in the figures.
  const url = new URL(databaseUrl);
  url.searchParams.set('options', '-c plan_cache_mode=force_generic_plan');
  const { unscoped: owner, close } = openBenchPool(url.href, 1);
  const { rows } = await sql<{ first: number }>`
    select min(id) as first from employees where org_id = ${orgId}`.execute(owner);
  const first = rows[0]?.first as number;
  const page: Ask = (db, n) => employeesPage(db, orgId, {}, first + n * PAGE_ROWS_DEFAULT, PAGE_ROWS_DEFAULT);
  const point: Ask = (db, n) =>
    db
      .selectFrom('employees')
      .where('org_id', '=', orgId)
      .where('id', '=', first + n)
      .select(['id', 'name', 'email'])
      .executeTakeFirstOrThrow();
  const sides = { scoped: () => within(orgId), bare: () => owner };
  const pages = await compare(owner, sides, page, PAGES, rounds);
  const points = await compare(owner, sides, point, POINTS, rounds);
  await close();
  return {
    pageCostRatio: pages.ratio,
    pageScopedMs: pages.scopedMs,
    pageBareMs: pages.bareMs,
    pageServerCpuRatio: pages.cpuRatio,
    pointCostRatio: points.ratio,
    pointScopedMs: points.scopedMs,
    pointBareMs: points.bareMs,
    pointServerCpuRatio: points.cpuRatio,
  };
}

/** `count` questions, one after the other, per block; the two take turns in going first. The median block of each. */
async function compare(owner: Db, sides: Record<'scoped' | 'bare', () => Db>, ask: Ask, count: number, rounds: number) {
  const measured: Record<'scoped' | 'bare', Side> = {
    scoped: { ms: [], cpuSeconds: 0 },
    bare: { ms: [], cpuSeconds: 0 },
  };
  for (let round = -1; round < rounds; round++) {
    for (const name of round % 2 === 0 ? (['scoped', 'bare'] as const) : (['bare', 'scoped'] as const)) {
      const cpuBefore = await backendCpuSeconds(owner, BENCH_APPLICATION);
      const begun = performance.now();
      for (let n = 0; n < count; n++) await ask(sides[name](), n);
      const ms = (performance.now() - begun) / count;
      const cpuSeconds = (await backendCpuSeconds(owner, BENCH_APPLICATION)) - cpuBefore;
      if (round < 0) continue; // opens connections, warms caches
      measured[name].ms.push(ms);
      measured[name].cpuSeconds += cpuSeconds;
    }
  }
  const { scoped, bare } = measured;
  const [scopedMs, bareMs] = [median(scoped.ms), median(bare.ms)];
  return { ratio: scopedMs / bareMs, scopedMs, bareMs, cpuRatio: scoped.cpuSeconds / bare.cpuSeconds };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
