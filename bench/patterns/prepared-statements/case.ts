import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import { backendCpuSeconds } from '../backend-cpu.ts';
import { BENCH_APPLICATION } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';
import { runSql } from '../scratch-database.ts';
import type { Order } from './order.ts';

export interface Orders {
  readonly db: Db;
  byId(id: number): Promise<Order[]>;
  close(): Promise<void>;
}

type Twin = { openOrders(url: string): Orders };
type Input = { readonly rounds: number; readonly orders: number };

export const CONNECTIONS = 3;

const ORDERS = 3_000;
const [CUSTOMERS, ITEMS, WAREHOUSES] = [1_000, 500, 20];
/** Of the server's processor time for one order. */
const SLOWER_FACTOR = 3;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/db/prepared-statements.ts',
  withoutIt: 'PostgreSQL parses and plans the same statement for every request',
  asks: `Read ${ORDERS} orders, one after the other: each is one row of four tables, by its key.`,
  breaks: `an order costs the server more than ${SLOWER_FACTOR} times the processor time`,
  holds: 'every order is read, by plans that are kept',
  headline: ({ serverCpuMs = 0 }) => `${serverCpuMs.toFixed(2)} milliseconds of server CPU per query`,
  small: { rounds: 1, orders: 50 },
  full: { rounds: 7, orders: ORDERS },

  arrange: ({ databaseUrl }) =>
    runSql(
      databaseUrl,
      `insert into customers select n, 'Customer ' || n from generate_series(1, ${CUSTOMERS}) n;
       insert into items select n, 'Item ' || n from generate_series(1, ${ITEMS}) n;
       insert into warehouses select n, 'City ' || n from generate_series(1, ${WAREHOUSES}) n;
       insert into orders select n, 1 + n % ${CUSTOMERS}, 1 + n % ${ITEMS}, 1 + n % ${WAREHOUSES}, n % 10, null
         from generate_series(1, ${ORDERS}) n;
       analyze`,
    ),

  async perform({ openOrders }, { rounds, orders }, { databaseUrl }) {
    const { db, byId, close } = openOrders(databaseUrl);
    const hash = createHash('sha256');
    const measured: { perSecond: number; serverCpuMs: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      const cpuBefore = await backendCpuSeconds(db, BENCH_APPLICATION);
      const begun = performance.now();
      const read = await readAll(byId, orders);
      const seconds = (performance.now() - begun) / 1000;
      const cpuSeconds = (await backendCpuSeconds(db, BENCH_APPLICATION)) - cpuBefore;
      measured.push({ perSecond: orders / seconds, serverCpuMs: (cpuSeconds * 1000) / orders });
      hash.update(JSON.stringify(read));
    }
    const plansKeptShare = await shareOfPlansKept(db);
    await close();
    return {
      digest: hash.digest('hex'),
      figures: {
        perSecond: median(measured.map(({ perSecond }) => perSecond)),
        serverCpuMs: median(measured.map(({ serverCpuMs }) => serverCpuMs)),
        plansKeptShare,
      },
    };
  },

  isBroken: (naive, hardened) =>
    naive.ending === 'finished' &&
    (naive.figures.serverCpuMs ?? 0) > SLOWER_FACTOR * (hardened.figures.serverCpuMs ?? Number.POSITIVE_INFINITY),
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.plansKeptShare === 1,
};

/** Over all connections at once, each asking for the next order as soon as it has its answer. */
async function readAll(byId: Orders['byId'], orders: number): Promise<Order[]> {
  const read: Order[] = [];
  let next = 1;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (let id = next++; id <= orders; id = next++) {
        const [order] = await byId(id);
        if (order === undefined) throw new Error(`There is no order ${id}`);
        read[id - 1] = order;
      }
    }),
  );
  return read;
}

/** How many runs took the kept plan. A name alone saves the parsing, and often nothing of the planning. */
async function shareOfPlansKept(db: Db): Promise<number> {
  const { rows } = await sql<{ share: number }>`
    select coalesce(sum(generic_plans) / nullif(sum(generic_plans + custom_plans), 0), 0)::float8 as share
    from pg_prepared_statements where statement like '%"orders"%'`.execute(db);
  return rows[0]?.share ?? 0;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
