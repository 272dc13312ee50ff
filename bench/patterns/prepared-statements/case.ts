import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import { PAGE_ROWS_DEFAULT } from '../../../src/limits.ts';
import { conversationById } from '../../../src/modules/conversations/queries.ts';
import { employeesPage } from '../../../src/modules/employees/queries.ts';
import { backendCpuSeconds } from '../backend-cpu.ts';
import { benchOrganisation } from '../bench-organisation.ts';
import { BENCH_APPLICATION } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';

export type Opened = { readonly db: Db; close(): Promise<void> };
type Variant = { open(url: string): Opened };
type Input = { readonly rounds: number; readonly conversations: number; readonly pages: number };
type Measured = { readonly perSecond: number; readonly serverCpuMs: number };

export const CONNECTIONS = 3;
export const APPLICATION = BENCH_APPLICATION;
/** Nothing is parsed for the naive twin: what each makes of the values is not what this is about. */
export const AS_TEXT = { getTypeParser: () => String };

const SIZE = { conversations: 200_000, answersEach: 5 };
/** Of the server's processor time for one conversation. */
const SLOWER_FACTOR = 3;

export const pattern: PatternCase<Variant, Input> = {
  slug: 'prepared-statements',
  asks: 'Open conversations: one row of four tables, by key, and its messages. And read pages of 50 employees with their teams.',
  breaks: `a conversation costs the server ${SLOWER_FACTOR} times the processor time`,
  holds: 'every conversation and page is answered',
  needs: ['database'],
  small: { rounds: 1, conversations: 50, pages: 10 },
  full: { rounds: 5, conversations: 3_000, pages: 1_000 },

  async prepare({ databaseUrl }) {
    await benchOrganisation(databaseUrl, SIZE);
  },

  async perform(variant, { rounds, conversations, pages }, { databaseUrl }) {
    const orgId = await benchOrganisation(databaseUrl, SIZE);
    const { db, close } = variant.open(databaseUrl);
    const firstConversation = await firstId(db, 'conversations', orgId);
    const firstEmployee = await firstId(db, 'employees', orgId);
    const hash = createHash('sha256');
    const measured: { conversations: Measured[]; pages: Measured[] } = { conversations: [], pages: [] };
    for (let round = 0; round < rounds; round++) {
      const opened = await measure(db, conversations, (n) => conversationById(db, orgId, firstConversation + n));
      const read = await measure(db, pages, (n) =>
        employeesPage(db, orgId, {}, firstEmployee + n * PAGE_ROWS_DEFAULT, PAGE_ROWS_DEFAULT),
      );
      measured.conversations.push(opened.measured);
      measured.pages.push(read.measured);
      for (const one of opened.answers)
        hash.update(`${one?.id} ${one?.employee.name} ${one?.campaign.name} ${one?.messages.length}\n`);
      for (const { email, team } of read.answers.flat()) hash.update(`${email} ${team.id} ${team.name}\n`);
    }
    const plansKept = await plansKeptShares(db);
    await close();
    return {
      digest: hash.digest('hex'),
      figures: {
        conversationsPerSecond: median(measured.conversations.map(({ perSecond }) => perSecond)),
        conversationServerCpuMs: median(measured.conversations.map(({ serverCpuMs }) => serverCpuMs)),
        pagesPerSecond: median(measured.pages.map(({ perSecond }) => perSecond)),
        pageServerCpuMs: median(measured.pages.map(({ serverCpuMs }) => serverCpuMs)),
        ...plansKept,
      },
    };
  },

  isBroken: ({ ending, figures }, hardened) =>
    ending === 'finished' &&
    (figures.conversationServerCpuMs ?? 0) >
      SLOWER_FACTOR * (hardened.figures.conversationServerCpuMs ?? Number.POSITIVE_INFINITY),
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
async function plansKeptShares(db: Db): Promise<{ conversationPlansKeptShare: number; pagePlansKeptShare: number }> {
  const shareOf = async (table: string) => {
    const { rows } = await sql<{ share: number }>`
      select coalesce(sum(generic_plans) / nullif(sum(generic_plans + custom_plans), 0), 0)::float8 as share
      from pg_prepared_statements where statement like ${`%from "${table}"%`}`.execute(db);
    return Number(rows[0]?.share);
  };
  return { conversationPlansKeptShare: await shareOf('conversations'), pagePlansKeptShare: await shareOf('employees') };
}

async function firstId(db: Db, table: 'conversations' | 'employees', orgId: number): Promise<number> {
  const { rows } = await sql<{ id: number | string }>`
    select min(id) as id from ${sql.table(table)} where org_id = ${orgId}`.execute(db);
  return Number(rows[0]?.id);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
