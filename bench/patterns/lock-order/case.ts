import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import pLimit from 'p-limit';
import type { Db } from '../../../src/db/database.ts';
import { SQLSTATE, sqlState } from '../../../src/errors.ts';
import { createRandom } from '../../load/random.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';
import { runSql, setOnDatabase } from '../scratch-database.ts';

export type Delivery = { readonly item: number; readonly units: number };
type Twin = { addToStock(db: Db, deliveries: readonly Delivery[]): Promise<void> };
type Input = { readonly clients: number };

const CLIENTS = 8;
const BATCHES = 200;
const ITEMS = 400;
const BATCH_ITEMS = 30;
const SEED = 7;
/** After this PostgreSQL checks for a deadlock. Its default, a second, would only make each one last longer. */
const DEADLOCK_MS = 10;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/db/batch-write.ts',
  withoutIt: 'two batches that touch the same rows end in a deadlock, and one is lost',
  asks: `${CLIENTS} clients write ${BATCHES} batches; each adds to the stock of ${BATCH_ITEMS} of the same ${ITEMS} items.`,
  breaks: 'batches are lost to deadlocks',
  holds: 'no batch is lost',
  headline: ({ lost = 0 }) => `${lost} of ${BATCHES} batches lost`,
  small: { clients: 1 },
  full: { clients: CLIENTS },

  async arrange(servers) {
    await setOnDatabase(servers, `deadlock_timeout = '${DEADLOCK_MS}ms'`);
    await runSql(
      servers.databaseUrl,
      `insert into stock select n, 0 from generate_series(1, ${ITEMS}) n; analyze stock`,
    );
  },

  async perform({ addToStock }, { clients }, { databaseUrl }) {
    const { unscoped: db, close } = openBenchPool(databaseUrl, clients);
    const atOnce = pLimit(clients);
    let deadlocks = 0;
    const begun = performance.now();
    await Promise.all(
      randomBatches().map((batch) =>
        atOnce(() =>
          addToStock(db, batch).catch((error) => {
            if (sqlState(error) !== SQLSTATE.deadlockDetected) throw error;
            deadlocks++;
          }),
        ),
      ),
    );
    const seconds = (performance.now() - begun) / 1000;
    const { rows } = await sql<Delivery>`select item, units from stock order by item`.execute(db);
    await close();
    // The rows themselves say what was lost: each batch adds one unit to each of its items.
    const written = rows.reduce((sum, { units }) => sum + units, 0) / BATCH_ITEMS;
    const digest = createHash('sha256').update(JSON.stringify(rows)).digest('hex');
    return { digest, figures: { lost: BATCHES - written, deadlocks, seconds } };
  },

  isBroken: (naive) => (naive.figures.lost ?? 0) > 0,
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.lost === 0 && figures.deadlocks === 0,
};

function randomBatches(): Delivery[][] {
  const random = createRandom(SEED);
  return Array.from({ length: BATCHES }, () => {
    const items = Array.from({ length: ITEMS }, (_, index) => index + 1);
    return Array.from({ length: BATCH_ITEMS }, () => ({
      item: items.splice(random.below(items.length), 1)[0] as number,
      units: 1,
    }));
  });
}
