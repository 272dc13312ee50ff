import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { TwinName } from '../pairs.ts';
import type { PatternCase, Servers } from '../pattern.ts';

export interface Shop {
  /** Resolves once the order is committed: then its customer is told so. */
  place(order: number): Promise<void>;
}

/** `endpoints`: the addresses at which customers want to hear of every order. */
export type OpenShop = (servers: Servers, endpoints: readonly string[]) => Shop;

type Twin = { readonly name: TwinName; openShop: OpenShop };
type Input = {
  readonly calm: number;
  readonly whileDown: number;
  readonly kills: number;
  readonly hasAttackers: boolean;
};

export const ORG_ID = 1;
/** Where customers' servers are. Of the rest of this machine nobody outside may know. */
export const CUSTOMERS_HOST = '127.0.0.1';
const INTERNAL_HOST = '127.0.0.2';

const WHILE_DOWN = 400;
const DOWN_MS = 2_000;
const KILLS = 5;
const ORDERS_PER_KILL = 40;
const AT_ONCE = 20;
const ORDERS = WHILE_DOWN + KILLS * ORDERS_PER_KILL;
/** Longer than the first retry of the schedule. */
const QUIET_MS = 8_000;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/http/webhook-delivery.ts',
  withoutIt: 'events are lost while their receiver is down, and a customer has us call what is inside',
  asks: `${ORDERS} orders are told to a customer, whose server is down for ${DOWN_MS / 1_000} s while the process is killed ${KILLS} times; other customers have given addresses that lead inside.`,
  breaks: 'events never arrive, and a server inside is called',
  holds: 'every event of an order that was acknowledged arrives, and nothing inside is called',
  headline: ({ lostWhileDown = 0, lostWhenKilled = 0, callsInside = 0 }) =>
    `${(lostWhileDown + lostWhenKilled).toLocaleString('en')} of ${ORDERS.toLocaleString('en')} events lost, ${callsInside.toLocaleString('en')} calls inside`,
  small: { calm: 30, whileDown: 0, kills: 0, hasAttackers: false },
  full: { calm: 0, whileDown: WHILE_DOWN, kills: KILLS, hasAttackers: true },

  async perform({ name }, { calm, whileDown, kills, hasAttackers }, servers) {
    const customer = await openCustomer();
    const inside = hasAttackers ? await openInside() : undefined;
    const endpoints = [customer.url, ...(inside === undefined ? [] : inside.urls)];
    const begun = performance.now();
    const placed = { calm: new Set<number>(), whileDown: new Set<number>(), whenKilled: new Set<number>() };
    let next = 0;
    const place = async (orders: Set<number>, count: number, shop: ShopProcess) => {
      const numbers = Array.from({ length: count }, () => next++);
      const atOnce = pLimit(AT_ONCE);
      await Promise.all(numbers.map((order) => atOnce(async () => orders.add(await shop.place(order)))));
    };

    let shop = startShop(name, servers, endpoints);
    await place(placed.calm, calm, shop);
    if (whileDown > 0) {
      customer.isDown = true;
      const back = sleep(DOWN_MS).then(() => {
        customer.isDown = false;
      });
      await place(placed.whileDown, whileDown, shop);
      await back;
    }
    for (let kill = 0; kill < kills; kill++) {
      await place(placed.whenKilled, ORDERS_PER_KILL, shop);
      await shop.kill();
      shop = startShop(name, servers, endpoints);
    }
    const all = new Set([...placed.calm, ...placed.whileDown, ...placed.whenKilled]);
    await customer.hasHeardOf(all);
    const seconds = (performance.now() - begun) / 1_000;
    await shop.kill();
    customer.server.close();
    inside?.close();

    const lostOf = (orders: Set<number>) => orders.difference(customer.heard).size;
    const digest = createHash('sha256')
      .update(JSON.stringify([...customer.heard].sort((a, b) => a - b)))
      .digest('hex');
    return {
      digest,
      figures: {
        acknowledged: all.size,
        lostWhileDown: lostOf(placed.whileDown),
        lostWhenKilled: lostOf(placed.whenKilled),
        repeated: customer.calls - customer.heard.size,
        callsInside: inside?.calls() ?? 0,
        seconds,
      },
    };
  },

  isBroken: ({ figures: { lostWhileDown = 0, lostWhenKilled = 0, callsInside = 0 } }) =>
    lostWhileDown + lostWhenKilled > 0 && callsInside > 0,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' &&
    figures.acknowledged === ORDERS &&
    figures.lostWhileDown === 0 &&
    figures.lostWhenKilled === 0 &&
    figures.callsInside === 0,
};

interface ShopProcess {
  /** Resolves to the order once it was acknowledged. */
  place(order: number): Promise<number>;
  kill(): Promise<void>;
}

/** A process of its own, because it is killed. */
function startShop(name: TwinName, servers: Servers, endpoints: readonly string[]): ShopProcess {
  const child = fork(path.join(import.meta.dirname, 'shop-process.ts'), [name], {
    execArgv: [],
    env: { ...process.env, SHOP: JSON.stringify({ servers, endpoints }) },
  });
  const waiting = new Map<number, () => void>();
  child.on('message', (order: number) => waiting.get(order)?.());
  return {
    place: (order) =>
      new Promise((resolve, reject) => {
        const ended = () => reject(new Error('The shop has ended by itself.'));
        child.once('exit', ended);
        waiting.set(order, () => {
          child.off('exit', ended);
          resolve(order);
        });
        child.send(order);
      }),
    async kill() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Notes of which orders it has heard, unless it is down. */
async function openCustomer() {
  const heard = new Set<number>();
  const customer = { heard, calls: 0, isDown: false, hasHeardOf, url: '', server: undefined as unknown as Server };
  let lastCallAt = performance.now();
  customer.server = await serve(CUSTOMERS_HOST, async (request, response) => {
    if (customer.isDown) return void response.destroy();
    let body = '';
    for await (const chunk of request) body += chunk;
    lastCallAt = performance.now();
    customer.calls++;
    heard.add((JSON.parse(body) as { order: number }).order);
    response.writeHead(204).end();
  });
  customer.url = `http://${CUSTOMERS_HOST}:${portOf(customer.server)}/`;
  return customer;

  /** Or until nothing comes any more. */
  async function hasHeardOf(orders: ReadonlySet<number>): Promise<void> {
    lastCallAt = performance.now();
    while (!orders.isSubsetOf(heard) && performance.now() - lastCallAt < QUIET_MS) await sleep(20);
  }
}

/** A server that only this machine may call, and three addresses by which customers try to have it called. */
async function openInside() {
  let calls = 0;
  const server = await serve(INTERNAL_HOST, (_request, response) => {
    calls++;
    response.end('secret');
  });
  const url = `http://${INTERNAL_HOST}:${portOf(server)}/`;
  const detour = await serve(CUSTOMERS_HOST, (_request, response) => {
    response.writeHead(307, { location: url }).end();
  });
  return {
    urls: [url, `http://2130706434:${portOf(server)}/`, `http://${CUSTOMERS_HOST}:${portOf(detour)}/`],
    calls: () => calls,
    close() {
      server.close();
      detour.close();
    },
  };
}

async function serve(host: string, answer: RequestListener): Promise<Server> {
  const server = createServer(answer);
  server.listen(0, host);
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
