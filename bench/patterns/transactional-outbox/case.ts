import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import pLimit from 'p-limit';
import { openBenchPool } from '../bench-pool.ts';
import type { PatternCase, Servers } from '../pattern.ts';

export interface Shop {
  /** `mayDie` throws where the process is killed; `mayFail` where the rest of the transaction fails. */
  place(order: number, faults: { mayFail(): void; mayDie(): void }): Promise<void>;
  /** What a process does once it is running again. */
  settle(): Promise<void>;
  close(): Promise<void>;
}
type Twin = { openShop(servers: Servers, enqueue: (order: number) => Promise<void>): Shop };
type Input = { readonly orders: number; readonly dies: boolean };

export const ORG_ID = 1;
const ORDERS = 4_000;
const AT_ONCE = 20;
const FAILS_EVERY = 10;
const DIES_EVERY = 50;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/queue/transactional-outbox.ts',
  withoutIt: 'jobs are lost, or run for a transaction that rolled back',
  asks: `${ORDERS} orders are stored, each with a job in the queue; one in ${FAILS_EVERY} rolls back, and at one in ${DIES_EVERY} the process is killed after its commit.`,
  breaks: 'orders have no job, or jobs no order',
  holds: 'every order that was committed has its job, and no other has one',
  headline: ({ lost = 0, unfounded = 0 }) =>
    `${lost.toLocaleString('en')} jobs lost, ${unfounded.toLocaleString('en')} without an order`,
  small: { orders: 200, dies: false },
  full: { orders: ORDERS, dies: true },

  async perform({ openShop }, { orders, dies }, servers) {
    const redis = new Redis(servers.redisUrl);
    const queue = `pattern:${new URL(servers.databaseUrl).pathname.slice(1)}`;
    const shop = openShop(servers, async (order) => void (await redis.rpush(queue, order)));
    const begun = performance.now();
    const atOnce = pLimit(AT_ONCE);
    await Promise.all(
      Array.from({ length: orders }, (_, order) =>
        atOnce(() =>
          shop
            .place(order, {
              mayFail: () => throwEvery(FAILS_EVERY, order),
              mayDie: () => (dies ? throwEvery(DIES_EVERY, order + 1) : undefined),
            })
            .catch(refuseOthers),
        ),
      ),
    );
    await shop.settle();
    const seconds = (performance.now() - begun) / 1_000;
    await shop.close();
    const jobs = new Set((await redis.lrange(queue, 0, -1)).map(Number));
    await redis.del(queue);
    redis.disconnect();
    const stored = await storedIn(servers.databaseUrl);
    const lost = stored.filter((order) => !jobs.has(order)).length;
    const unfounded = [...jobs].filter((order) => !stored.includes(order)).length;
    const digest = createHash('sha256')
      .update(JSON.stringify([stored, [...jobs].sort((a, b) => a - b)]))
      .digest('hex');
    return { digest, figures: { stored: stored.length, jobs: jobs.size, lost, unfounded, seconds } };
  },

  isBroken: ({ figures }) => (figures.lost ?? 0) + (figures.unfounded ?? 0) > 0,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' &&
    figures.stored === ORDERS - ORDERS / FAILS_EVERY &&
    figures.lost === 0 &&
    figures.unfounded === 0,
};

class Planned extends Error {}

function throwEvery(times: number, order: number): void {
  if (order % times === 0) throw new Planned();
}

function refuseOthers(error: unknown): void {
  if (!(error instanceof Planned)) throw error;
}

async function storedIn(url: string): Promise<number[]> {
  const { unscoped: db, close } = openBenchPool(url, 1);
  const { rows } = await sql<{ id: number }>`select id from orders order by id`.execute(db);
  await close();
  return rows.map(({ id }) => id);
}
