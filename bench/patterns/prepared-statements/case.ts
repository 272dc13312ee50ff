import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import { PAGE_ROWS_DEFAULT } from '../../../src/limits.ts';
import { invitationOf } from '../../../src/modules/conversations/queries.ts';
import { employeesPage } from '../../../src/modules/employees/queries.ts';
import { backendCpuSeconds } from '../backend-cpu.ts';
import { benchOrganisation } from '../bench-organisation.ts';
import { BENCH_APPLICATION } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';

export type Opened = { readonly db: Db; close(): Promise<void> };
type Variant = { open(url: string): Opened };
type Input = { readonly rounds: number; readonly links: number; readonly pages: number };
type Measured = { readonly perSecond: number; readonly serverCpuMs: number };

export const CONNECTIONS = 3;
export const APPLICATION = BENCH_APPLICATION;
/** Nothing is parsed for the naive twin: what each makes of the values is not what this is about. */
export const AS_TEXT = { getTypeParser: () => String };

const SIZE = { conversations: 200_000, answersEach: 5 };
/** Of the server's processor time for one link. */
const SLOWER_FACTOR = 3;

export const pattern: PatternCase<Variant, Input> = {
  slug: 'prepared-statements',
  asks: 'Open check-in links: one row of four tables, by key. And read pages of 50 employees with their teams.',
  breaks: `a link costs the server ${SLOWER_FACTOR} times the processor time`,
  holds: 'every link and page is answered',
  needs: ['database'],
  small: { rounds: 1, links: 50, pages: 10 },
  full: { rounds: 5, links: 3_000, pages: 1_000 },

  async prepare({ databaseUrl }) {
    await benchOrganisation(databaseUrl, SIZE);
  },

  async perform(variant, { rounds, links, pages }, { databaseUrl }) {
    const orgId = await benchOrganisation(databaseUrl, SIZE);
    const { db, close } = variant.open(databaseUrl);
    const firstLink = await firstId(db, 'reach_outs', orgId);
    const firstEmployee = await firstId(db, 'employees', orgId);
    const hash = createHash('sha256');
    const measured: { links: Measured[]; pages: Measured[] } = { links: [], pages: [] };
    for (let round = 0; round < rounds; round++) {
      const opened = await measure(db, links, (n) => invitationOf(db, { orgId, reachOutId: firstLink + n }));
      const read = await measure(db, pages, (n) =>
        employeesPage(db, orgId, {}, firstEmployee + n * PAGE_ROWS_DEFAULT, PAGE_ROWS_DEFAULT),
      );
      measured.links.push(opened.measured);
      measured.pages.push(read.measured);
      for (const link of opened.answers) hash.update(`${link?.employeeId} ${link?.name} ${link?.campaign}\n`);
      for (const { email, team } of read.answers.flat()) hash.update(`${email} ${team.id} ${team.name}\n`);
    }
    const plansKept = await plansKeptShares(db);
    await close();
    return {
      digest: hash.digest('hex'),
      figures: {
        linksPerSecond: median(measured.links.map(({ perSecond }) => perSecond)),
        linkServerCpuMs: median(measured.links.map(({ serverCpuMs }) => serverCpuMs)),
        pagesPerSecond: median(measured.pages.map(({ perSecond }) => perSecond)),
        pageServerCpuMs: median(measured.pages.map(({ serverCpuMs }) => serverCpuMs)),
        ...plansKept,
      },
    };
  },

  isBroken: ({ ending, figures }, hardened) =>
    ending === 'finished' &&
    (figures.linkServerCpuMs ?? 0) > SLOWER_FACTOR * (hardened.figures.linkServerCpuMs ?? Number.POSITIVE_INFINITY),
  isHeld: (hardened) => hardened.ending === 'finished',
};

/** `count` questions over all connections, each asking the next one as soon as it has its answer. */
async function measure<T>(db: Db, count: number, ask: (n: number) => Promise<T>) {
  const answers: T[] = [];
  const cpuBefore = await backendCpuSeconds(db, APPLICATION);
  const begun = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (let n = next++; n < count; n = next++) answers[n] = await ask(n);
    }),
  );
  const seconds = (performance.now() - begun) / 1000;
  const cpuSeconds = (await backendCpuSeconds(db, APPLICATION)) - cpuBefore;
  return { answers, measured: { perSecond: count / seconds, serverCpuMs: (cpuSeconds * 1000) / count } };
}

/** How many of the runs took the plan that was kept. A name alone saves the parsing, and often nothing of the planning. */
async function plansKeptShares(db: Db): Promise<{ linkPlansKeptShare: number; pagePlansKeptShare: number }> {
  const shareOf = async (table: string) => {
    const { rows } = await sql<{ share: number }>`
      select coalesce(sum(generic_plans) / nullif(sum(generic_plans + custom_plans), 0), 0)::float8 as share
      from pg_prepared_statements where statement like ${`%join "${table}"%`}`.execute(db);
    return Number(rows[0]?.share);
  };
  return { linkPlansKeptShare: await shareOf('campaigns'), pagePlansKeptShare: await shareOf('teams') };
}

async function firstId(db: Db, table: 'reach_outs' | 'employees', orgId: number): Promise<number> {
  const { rows } = await sql<{ id: number | string }>`
    select min(id) as id from ${sql.table(table)} where org_id = ${orgId}`.execute(db);
  return Number(rows[0]?.id);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
