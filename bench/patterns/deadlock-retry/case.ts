import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import pLimit from 'p-limit';
import { Client } from 'pg';
import type { Db } from '../../../src/db/database.ts';
import { inTransaction, withRetry } from '../../../src/db/deadlock-retry.ts';
import { sqlState } from '../../../src/errors.ts';
import { createRandom } from '../../load/random.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';

type AddOneToEach = (db: Db, ids: readonly number[], onRetry: () => void) => Promise<void>;
type Variant = { addOneToEach: AddOneToEach };
type Input = { readonly clients: number };
type Race = { lost: number; deadlocks: number; seconds: number };

const TRANSACTIONS = 48;
const ROWS = 40;
const ROWS_EACH = 5;
const CLIENTS = 16;
const SEED = 7;
const ROUNDS = 9;
/** With the retry behind it, locks in order take at most this many times what they take alone. */
const SLOWER_FACTOR = 2;
/** After so long PostgreSQL looks for a deadlock. Its default, a second, would only make naive and the retry alone slower still. */
const DEADLOCK_MS = 100;
const DEADLOCK_EAGER_MS = 10;

export const pattern: PatternCase<Variant, Input> = {
  slug: 'deadlock-retry',
  asks: `${CLIENTS} clients run ${TRANSACTIONS} transactions; each adds one to ${ROWS_EACH} of the same ${ROWS} rows.`,
  breaks: 'transactions are lost',
  holds: `none is lost, within ${SLOWER_FACTOR} times what locks in order take without a retry`,
  needs: ['database'],
  small: { clients: 1 },
  full: { clients: CLIENTS },

  async prepare({ databaseUrl, databaseAdminUrl }) {
    const admin = new Client({ connectionString: databaseAdminUrl });
    await admin.connect();
    const owner = admin.escapeIdentifier(new URL(databaseUrl).username);
    await admin.query(`grant set on parameter deadlock_timeout to ${owner}`);
    await admin.query('create table if not exists pattern_counters (id integer primary key, n integer not null)');
    await admin.query(`alter table pattern_counters owner to ${owner}`);
    await admin.end();
  },

  async perform({ addOneToEach }, { clients }, { databaseUrl }) {
    const { db, close } = await openClients(databaseUrl, clients, DEADLOCK_MS);
    const race = await runRace(db, clients, addOneToEach);
    const digest = await countersDigest(db);
    // Which half of it does the work? Only where nothing was lost is there something to take apart.
    const halves = clients > 1 && race.lost === 0 ? await runHalves(databaseUrl, db, clients, addOneToEach) : {};
    await close();
    return { digest, figures: { ...race, ...halves } };
  },

  isBroken: (naive) => (naive.figures.lost ?? 0) > 0,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' &&
    figures.lost === 0 &&
    (figures.seconds ?? Number.POSITIVE_INFINITY) <= SLOWER_FACTOR * (figures.sortedAloneSeconds ?? 0),
};

export async function addOneTo(db: Db, id: number): Promise<void> {
  await sql`update pattern_counters set n = n + 1 where id = ${id}`.execute(db);
}

/** The same transactions for all, each client taking the next one. What is lost, the rows themselves say in the end. */
async function runRace(db: Db, clients: number, addOneToEach: AddOneToEach): Promise<Race> {
  await sql`truncate pattern_counters`.execute(db);
  await sql`insert into pattern_counters select id, 0 from generate_series(1, ${ROWS}::int) id`.execute(db);
  const atOnce = pLimit(clients);
  let deadlocks = 0;
  const begun = performance.now();
  await Promise.all(
    transactions().map((ids) =>
      atOnce(async () => {
        try {
          await addOneToEach(db, ids, () => deadlocks++);
        } catch (error) {
          if (sqlState(error) !== '40P01') throw error;
          deadlocks++;
        }
      }),
    ),
  );
  const seconds = (performance.now() - begun) / 1000;
  const { rows } = await sql<{ n: number }>`select n from pattern_counters`.execute(db);
  const done = rows.reduce((sum, { n }) => sum + n, 0) / ROWS_EACH;
  return { lost: TRANSACTIONS - done, deadlocks, seconds };
}

/** Both together against locks in order alone, in turn; then the retry alone, as eager as the server and more eager. */
async function runHalves(databaseUrl: string, db: Db, clients: number, together: AddOneToEach) {
  const [whole, sorted]: [Race[], Race[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    whole.push(await runRace(db, clients, together));
    sorted.push(await runRace(db, clients, (_, ids) => addInTransaction(db, ids.toSorted(ascending))));
  }
  const retryAlone: AddOneToEach = (own, ids, onRetry) => withRetry(() => addInTransaction(own, ids), onRetry);
  const retried = await runRace(db, clients, retryAlone);
  const eager = await openClients(databaseUrl, clients, DEADLOCK_EAGER_MS);
  const retriedEagerly = await runRace(eager.db, clients, retryAlone);
  await eager.close();
  return {
    lost: whole.reduce((sum, race) => sum + race.lost, 0),
    deadlocks: whole.reduce((sum, race) => sum + race.deadlocks, 0),
    seconds: medianSeconds(whole),
    sortedAloneSeconds: medianSeconds(sorted),
    retryAloneSeconds: retried.seconds,
    retryAloneLost: retried.lost,
    retryAloneEagerSeconds: retriedEagerly.seconds,
    retryAloneEagerLost: retriedEagerly.lost,
  };
}

function addInTransaction(db: Db, ids: readonly number[]): Promise<void> {
  return db.connection().execute((connection) =>
    inTransaction(connection, async (transaction) => {
      for (const id of ids) await addOneTo(transaction, id);
    }),
  );
}

/** As many connections as clients, open before the clock runs. */
async function openClients(databaseUrl: string, clients: number, deadlockMs: number) {
  const url = new URL(databaseUrl);
  url.searchParams.set('options', `-c deadlock_timeout=${deadlockMs}`);
  const pool = openBenchPool(url.href, clients);
  const together = barrier(clients);
  await Promise.all(Array.from({ length: clients }, () => pool.unscoped.connection().execute(together)));
  return { db: pool.unscoped, close: pool.close };
}

/** Resolves for all once `count` have come. */
function barrier(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let come = 0;
  return () => {
    if (++come === count) resolve();
    return promise;
  };
}

function transactions(): number[][] {
  const random = createRandom(SEED);
  return Array.from({ length: TRANSACTIONS }, () => {
    const left = Array.from({ length: ROWS }, (_, index) => index + 1);
    return Array.from({ length: ROWS_EACH }, () => left.splice(random.below(left.length), 1)[0] as number);
  });
}

async function countersDigest(db: Db): Promise<string> {
  const { rows } = await sql<{ id: number; n: number }>`select id, n from pattern_counters order by id`.execute(db);
  return createHash('sha256').update(JSON.stringify(rows)).digest('hex');
}

function medianSeconds(races: readonly Race[]): number {
  return races.map(({ seconds }) => seconds).toSorted(ascending)[Math.floor(races.length / 2)] as number;
}

function ascending(a: number, b: number): number {
  return a - b;
}
