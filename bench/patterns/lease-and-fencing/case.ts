import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/schema.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';
import { runSql } from '../scratch-database.ts';

export type Claim = { readonly id: number; readonly claim: number };
export type Outcome = Claim & { readonly outcome: string };
type Twin = {
  take(db: Db, rows: number): Promise<Claim[]>;
  record(db: Db, outcomes: readonly Outcome[]): Promise<void>;
};
type Input = { readonly stalls: boolean };

export const LEASE_MS = 100;
const TASKS = 2_000;
const BATCH_TASKS = 20;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/db/lease-and-fencing.ts',
  withoutIt: 'a worker that was stopped for too long overwrites the outcome of the one that took its place',
  asks: `A worker takes ${TASKS} tasks and stalls past its lease; a second one takes and finishes them; then the first one goes on.`,
  breaks: 'outcomes are overwritten by the worker that came too late',
  holds: 'every outcome is that of the last worker that took the task',
  headline: ({ overwritten = 0 }) => `${overwritten.toLocaleString('en')} outcomes overwritten`,
  small: { stalls: false },
  full: { stalls: true },

  arrange: ({ databaseUrl }) =>
    runSql(databaseUrl, `insert into tasks (id) select n from generate_series(1, ${TASKS}) n; analyze tasks`),

  async perform({ take, record }, { stalls }, { databaseUrl }) {
    const { unscoped: db, close } = openBenchPool(databaseUrl, 2);
    const begun = performance.now();
    const first = await takeAll(db, take);
    if (stalls) await sleep(LEASE_MS * 2);
    const second = stalls ? await takeAll(db, take) : [];
    await recordAll(db, record, second, 'second');
    await recordAll(db, record, first, 'first');
    const seconds = (performance.now() - begun) / 1000;
    const { rows } = await sql<{ id: number; outcome: string }>`select id, outcome from tasks order by id`.execute(db);
    await close();
    const overwritten = stalls ? rows.filter(({ outcome }) => outcome !== 'second').length : 0;
    const digest = createHash('sha256').update(JSON.stringify(rows)).digest('hex');
    return { digest, figures: { overwritten, takenAgain: second.length, seconds } };
  },

  isBroken: ({ figures }) => (figures.overwritten ?? 0) > 0,
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.takenAgain === TASKS && figures.overwritten === 0,
};

async function takeAll(db: Db, take: Twin['take']): Promise<Claim[]> {
  const taken: Claim[] = [];
  for (let batch = await take(db, TASKS); batch.length > 0; batch = await take(db, TASKS)) taken.push(...batch);
  return taken;
}

async function recordAll(db: Db, record: Twin['record'], claims: readonly Claim[], outcome: string): Promise<void> {
  for (let at = 0; at < claims.length; at += BATCH_TASKS)
    await record(
      db,
      claims.slice(at, at + BATCH_TASKS).map((claim) => ({ ...claim, outcome })),
    );
}
