import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, get, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PatternCase } from '../pattern.ts';

type Twin = { createInstance(answer: RequestListener): Server };
type Input = { readonly isScaled: boolean; readonly requestsPerClient: number };

/** The product's range, thirty times as fast. */
export const AGE_MS = { min: 500, max: 1_500 };

const CLIENTS = 40;
const EACH_MS = 20;
const SETTLED_MS = 3_000;
const COUNTED_MS = 2_000;
const SHARE_MAX = 1.3;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/http/connection-age.ts',
  withoutIt: 'an instance that is added under load stays idle, because clients keep the connections that they have',
  asks: `${CLIENTS} clients keep their connections through a balancer that distributes connections in turn. A second instance is added; ${SETTLED_MS / 1_000} s later their requests are counted.`,
  breaks: `the first instance has more than ${SHARE_MAX} times its fair share`,
  holds: `neither has more than ${SHARE_MAX} times its fair share, and no request failed`,
  headline: ({ addedPercent = 0 }) => `the added instance gets ${Math.round(addedPercent)} % of the requests`,
  small: { isScaled: false, requestsPerClient: 10 },
  full: { isScaled: true, requestsPerClient: Number.POSITIVE_INFINITY },

  async perform({ createInstance }, { isScaled, requestsPerClient }) {
    const counts = [0, 0];
    const instances: Server[] = [];
    const add = async () => {
      const place = instances.length;
      const server = createInstance((_request, response) => {
        counts[place] = (counts[place] ?? 0) + 1;
        response.end('served');
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      instances.push(server);
    };
    await add();
    const balancer = await startBalancer(instances);
    let isDone = false;
    const outcomes = { served: 0, failed: 0 };
    const clients = Array.from({ length: CLIENTS }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let n = 0; n < requestsPerClient && !isDone; n++) {
        outcomes[await ask(balancer.port, agent)]++;
        await sleep(EACH_MS);
      }
      agent.destroy();
    });
    let addedPercent: number | undefined;
    if (isScaled) {
      await sleep(COUNTED_MS);
      await add();
      await sleep(SETTLED_MS);
      const before = [...counts];
      await sleep(COUNTED_MS);
      const [first = 0, second = 0] = counts.map((count, place) => count - (before[place] ?? 0));
      addedPercent = (second / (first + second)) * 100;
      isDone = true;
    }
    await Promise.all(clients);
    balancer.close();
    for (const server of instances) {
      server.closeAllConnections();
      server.close();
    }
    const counted = isScaled ? 'any number' : outcomes.served;
    return {
      digest: createHash('sha256').update(`${counted} served, ${outcomes.failed} failed`).digest('hex'),
      figures: addedPercent === undefined ? outcomes : { ...outcomes, addedPercent },
    };
  },

  isBroken: ({ ending, figures }) => ending === 'finished' && 2 - (figures.addedPercent ?? 100) / 50 > SHARE_MAX,
  isHeld: ({ ending, figures }) => {
    const share = (figures.addedPercent ?? 0) / 50;
    return ending === 'finished' && figures.failed === 0 && Math.max(share, 2 - share) <= SHARE_MAX;
  },
};

/** Of connections, as a balancer of TCP, or of a Service in Kubernetes, does it: it does not see requests. */
async function startBalancer(instances: readonly Server[]) {
  let turn = 0;
  const server = createServer((client) => {
    const instance = instances[turn++ % instances.length] as Server;
    const upstream = connect((instance.address() as AddressInfo).port, '127.0.0.1');
    client.pipe(upstream).pipe(client);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const)
      one.on('error', () => undefined).once('close', () => other.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

function ask(port: number, agent: Agent): Promise<'served' | 'failed'> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, agent }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode === 200 ? 'served' : 'failed'));
      response.once('error', () => resolve('failed'));
    }).once('error', () => resolve('failed'));
  });
}
