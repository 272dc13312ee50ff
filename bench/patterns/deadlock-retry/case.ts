import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import pLimit from 'p-limit';
import type { Db } from '../../../src/db/database.ts';
import { SQLSTATE, sqlState } from '../../../src/errors.ts';
import { createRandom } from '../../load/random.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';
import { runSql, setOnDatabase } from '../scratch-database.ts';

type Account = { readonly id: number; readonly balance: number; readonly payments: number };
type Twin = { pay(db: Db, from: number, onRetry: () => void): Promise<void> };
type Input = { readonly clients: number; readonly payments: number };

const CLIENTS = 8;
const PAYMENTS = 4_000;
const ACCOUNTS = 100;
const SEED = 7;
/** After this PostgreSQL checks for a deadlock. Its default, a second, would only make each one last longer. */
const DEADLOCK_MS = 10;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/db/deadlock-retry.ts',
  withoutIt: 'transactions are lost to deadlocks that no lock order can prevent',
  asks: `${CLIENTS} clients make ${PAYMENTS} payments between ${ACCOUNTS} accounts that pay into each other in pairs.`,
  breaks: 'payments are lost to deadlocks',
  holds: 'deadlocks happen, and no payment is lost',
  headline: ({ lost = 0 }) => `${lost} of ${PAYMENTS.toLocaleString('en')} payments lost`,
  small: { clients: 1, payments: 300 },
  full: { clients: CLIENTS, payments: PAYMENTS },

  async arrange(servers) {
    await setOnDatabase(servers, `deadlock_timeout = '${DEADLOCK_MS}ms'`);
    // 1 and 2 pay into each other, 3 and 4, and so on.
    const accounts = `select n, case when n % 2 = 1 then n + 1 else n - 1 end from generate_series(1, ${ACCOUNTS}) n`;
    await runSql(servers.databaseUrl, `insert into accounts (id, pays_into) ${accounts}`);
  },

  async perform({ pay }, { clients, payments }, { databaseUrl }) {
    const { unscoped: db, close } = openBenchPool(databaseUrl, clients);
    const atOnce = pLimit(clients);
    let [deadlocks, retries] = [0, 0];
    const onRetry = () => {
      retries++;
    };
    const begun = performance.now();
    await Promise.all(
      randomPayers(payments).map((from) =>
        atOnce(() =>
          pay(db, from, onRetry).catch((error) => {
            if (sqlState(error) !== SQLSTATE.deadlockDetected) throw error;
            deadlocks++;
          }),
        ),
      ),
    );
    const seconds = (performance.now() - begun) / 1000;
    const { rows } = await sql<Account>`select id, balance, payments from accounts order by id`.execute(db);
    await close();
    const sum = (name: 'balance' | 'payments') => rows.reduce((all, account) => all + account[name], 0);
    const digest = createHash('sha256').update(JSON.stringify(rows)).digest('hex');
    return {
      digest,
      figures: { lost: payments - sum('payments'), balance: sum('balance'), deadlocks, retries, seconds },
    };
  },

  isBroken: (naive) => (naive.figures.lost ?? 0) > 0,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' && figures.lost === 0 && figures.balance === 0 && (figures.retries ?? 0) > 0,
};

function randomPayers(count: number): number[] {
  const random = createRandom(SEED);
  return Array.from({ length: count }, () => 1 + random.below(ACCOUNTS));
}
