import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import pLimit from 'p-limit';
import { createRandom } from '../../load/random.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { PatternCase, Servers } from '../pattern.ts';

/** Places an order; undefined when it is being placed right now. */
export type PlaceOrder = (key: string, text: string) => Promise<string | undefined>;
type Twin = { openOrders(servers: Servers): { place: PlaceOrder; close(): Promise<unknown> } };
type Input = { readonly orders: number; readonly patienceMs: number };

export const ORG = 1;
const ORDERS = 2_000;
const CLIENTS = 8;
/** After this a client takes its request for lost, and sends it again. */
const PATIENCE_MS = 3;
const AGAIN_MS = 5;
const TRIES_MAX = 200;
const SEED = 11;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/db/idempotency-key.ts',
  withoutIt: 'a client that tries again after a lost answer has its order placed twice',
  asks: `${CLIENTS} clients place ${ORDERS} orders, each with a key, and send it again when no answer has come within up to ${PATIENCE_MS} ms.`,
  breaks: 'orders are placed twice',
  holds: 'every order is placed once',
  headline: ({ twice = 0 }) => `${twice.toLocaleString('en')} of ${ORDERS.toLocaleString('en')} orders placed twice`,
  small: { orders: 100, patienceMs: 60_000 },
  full: { orders: ORDERS, patienceMs: PATIENCE_MS },

  async perform({ openOrders }, { orders, patienceMs }, servers) {
    const { place, close } = openOrders(servers);
    const random = createRandom(SEED);
    const atOnce = pLimit(CLIENTS);
    let sent = 0;

    /** The first try goes on in the server when its client has given up on it. */
    async function send(key: string, text: string): Promise<void> {
      const tries: Promise<string | undefined>[] = [];
      for (let answer: string | undefined; answer === undefined; ) {
        sent++;
        if (tries.length === TRIES_MAX) throw new Error(`${text} was never answered`);
        const asked = place(key, text);
        tries.push(asked);
        const isFirst = tries.length === 1 && patienceMs < 1_000;
        answer = await (isFirst ? Promise.race([asked, sleep(random.below(patienceMs + 1), undefined)]) : asked);
        if (answer === undefined && tries.length > 1) await sleep(AGAIN_MS);
      }
      await Promise.all(tries);
    }

    const names = Array.from({ length: orders }, (_, n) => `order ${n}`);
    await Promise.all(names.map((text) => atOnce(() => send(`key of ${text}`, text))));
    await close();
    const { unscoped: db, close: closeOwner } = openBenchPool(servers.databaseUrl, 1);
    const { rows } = await sql<{ text: string; times: number }>`
      select text, count(*)::int as times from orders group by text order by text`.execute(db);
    await closeOwner();
    const twice = rows.filter(({ times }) => times > 1).length;
    const digest = createHash('sha256').update(JSON.stringify(rows)).digest('hex');
    return { digest, figures: { placed: rows.length, twice, sent } };
  },

  isBroken: ({ figures }) => (figures.twice ?? 0) > 0,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' && figures.twice === 0 && figures.placed === ORDERS && (figures.sent ?? 0) > ORDERS,
};
