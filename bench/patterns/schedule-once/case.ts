import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { openDatabase } from '../../../src/db/read-write-split.ts';
import { createMetrics } from '../../../src/process/metrics.ts';
import { BENCH_LOG, openBenchPool } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';
import { runSql } from '../scratch-database.ts';

type Database = ReturnType<typeof openDatabase>;
/** Launches what is due. `now`: the clock of the process. */
type Twin = { launchDueSchedules(database: Database, now: () => number): Promise<void> };
type Input = { readonly crons: number };

export const EVERY_MS = 60 * 60 * 1_000;
const SCHEDULES = 1_000;
const CRONS = 2;
const BEHIND_MS = 10_000;
/** How often each of them looks for what is due. */
const TICKS = 3;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/queue/schedule-once.ts',
  withoutIt: 'two processes find the same slot due, and both launch it',
  asks: `${SCHEDULES} hourly schedules are due in the same moment; ${CRONS} processes look for them, one of whose clocks is ${BEHIND_MS / 1_000} s behind.`,
  breaks: 'slots are launched more than once',
  holds: 'every slot is launched once',
  headline: ({ extra = 0 }) => `${extra.toLocaleString('en')} extra launches`,
  small: { crons: 1 },
  full: { crons: CRONS },

  arrange: ({ databaseUrl }) =>
    runSql(
      databaseUrl,
      `insert into schedules (id, launch_at) select n, date_trunc('second', now()) - interval '1 second' from generate_series(1, ${SCHEDULES}) n;
      analyze schedules`,
    ),

  async perform({ launchDueSchedules }, { crons }, { databaseUrl, workerDatabaseUrl }) {
    const config = { databaseUrl: workerDatabaseUrl, databaseReplicaUrl: undefined };
    const databases = Array.from({ length: crons }, () =>
      openDatabase({ config, name: 'mailer', log: BENCH_LOG, metrics: createMetrics('bench') }),
    );
    const begun = performance.now();
    for (let tick = 0; tick < TICKS; tick++) {
      await Promise.all(
        databases.map((database, cron) => launchDueSchedules(database, () => Date.now() - cron * BEHIND_MS)),
      );
    }
    const seconds = (performance.now() - begun) / 1_000;
    await Promise.all(databases.map(({ close }) => close()));
    const { unscoped: db, close } = openBenchPool(databaseUrl, 1);
    const { rows } = await sql<{ schedule: number; times: number }>`
      select schedule, count(*)::int as times from launches group by schedule, slot order by schedule, slot`.execute(
      db,
    );
    await close();
    const extra = rows.reduce((sum, { times }) => sum + times - 1, 0);
    const digest = createHash('sha256').update(JSON.stringify(rows)).digest('hex');
    return { digest, figures: { slots: rows.length, extra, seconds } };
  },

  isBroken: ({ figures }) => (figures.extra ?? 0) > 0,
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.slots === SCHEDULES && figures.extra === 0,
};

/** The first full hour's slot after `after`, counted from `slot`. */
export function slotAfter(slot: Date, after: Date): Date {
  const hours = Math.floor((after.getTime() - slot.getTime()) / EVERY_MS) + 1;
  return new Date(slot.getTime() + hours * EVERY_MS);
}
