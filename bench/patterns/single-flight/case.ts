import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/schema.ts';
import { POOL_PRIMARY } from '../../../src/limits.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';
import { runSql } from '../scratch-database.ts';

export type Read = (key: string, query: () => Promise<number>) => Promise<number>;
type Twin = { createReader(): Read };
type Input = { readonly people: number };

const PEOPLE = 200; // further ones would be refused by the pool: POOL_WAITING_MAX
const ROWS = 50_000;
const QUERIES_MAX = 3;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/flow/single-flight.ts',
  withoutIt: 'a whole company opens its dashboard at nine, and the database sums up the same rows for each of them',
  asks: `${PEOPLE} people open a page at the same moment; it shows the mean of ${ROWS.toLocaleString('en')} rows.`,
  breaks: 'the database is asked once for each of them',
  holds: `it is asked at most ${QUERIES_MAX} times, and everybody has the answer`,
  headline: ({ queries = 0 }) => `${queries} queries for ${PEOPLE} people`,
  small: { people: 1 },
  full: { people: PEOPLE },

  async arrange({ databaseUrl }) {
    await runSql(databaseUrl, `insert into answers (score) select n % 5 from generate_series(1, ${ROWS}) n`);
  },

  async perform({ createReader }, { people }, { databaseUrl }) {
    const { unscoped: db, close } = openBenchPool(databaseUrl, POOL_PRIMARY.api);
    const read = createReader();
    let queries = 0;
    const query = () => {
      queries++;
      return mean(db);
    };
    const begun = performance.now();
    const means = await Promise.all(Array.from({ length: people }, () => read('mean', query)));
    const seconds = (performance.now() - begun) / 1_000;
    await close();
    const digest = createHash('sha256').update(means.join()).digest('hex');
    return { digest, figures: { queries, seconds, answered: means.length } };
  },

  isBroken: ({ ending, figures }) => ending === 'finished' && (figures.queries ?? 0) >= PEOPLE,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' &&
    (figures.queries ?? Number.POSITIVE_INFINITY) <= QUERIES_MAX &&
    figures.answered === PEOPLE,
};

async function mean(db: Db): Promise<number> {
  const { rows } = await sql<{ mean: number }>`select avg(score)::float8 as mean from answers`.execute(db);
  return rows[0]?.mean ?? Number.NaN;
}
