import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, get, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PatternCase } from '../pattern.ts';

export interface Instance {
  readonly server: Server;
  stop(): Promise<unknown>;
}

type Twin = { createInstance(answer: RequestListener): Instance };
type Input = { readonly replacements: number; readonly requestsPerClient: number };

/** Longer than two probes. */
export const LAME_DUCK_MS = 700;

const CLIENTS = 8;
const REPLACEMENTS = 5;
const WORK_MS = 5;
const PROBE_EVERY_MS = 200;
const PROBES_MS = 250;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/process/graceful-shutdown.ts',
  withoutIt: 'every deploy cuts off requests and jobs midway',
  asks: `${CLIENTS} clients ask without a pause, through a balancer that probes every ${PROBE_EVERY_MS} ms, while two instances are replaced in turn, ${REPLACEMENTS} times.`,
  breaks: 'requests are lost',
  holds: 'no request is lost',
  headline: ({ lost = 0 }) => `${lost} requests lost in ${REPLACEMENTS} deploys`,
  small: { replacements: 0, requestsPerClient: 20 },
  full: { replacements: REPLACEMENTS, requestsPerClient: Number.POSITIVE_INFINITY },

  async perform({ createInstance }, { replacements, requestsPerClient }) {
    const instances = [await start(createInstance), await start(createInstance)];
    const balancer = createBalancer(instances);
    let isDone = false;
    const figures = { served: 0, lost: 0 };
    const client = async () => {
      for (let n = 0; n < requestsPerClient && !isDone; n++) figures[await balancer.ask()]++;
    };
    const clients = Array.from({ length: CLIENTS }, client);
    for (let n = 0; n < replacements; n++) {
      await sleep(PROBES_MS);
      const place = n % 2;
      await (instances[place] as Instance).stop();
      instances[place] = await start(createInstance);
      await sleep(2 * PROBES_MS);
    }
    isDone = replacements > 0;
    await Promise.all(clients);
    balancer.close();
    for (const { server } of instances) {
      server.closeAllConnections();
      server.close();
    }
    const counted = replacements > 0 ? 'any number' : figures.served;
    const digest = createHash('sha256').update(`${counted} served`).digest('hex');
    return { digest, figures };
  },

  isBroken: ({ ending, figures }) => ending === 'finished' && (figures.lost ?? 0) > 0,
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.lost === 0 && (figures.served ?? 0) > 100,
};

async function start(createInstance: Twin['createInstance']): Promise<Instance> {
  const instance = createInstance((_request, response) => void setTimeout(() => response.end('served'), WORK_MS));
  instance.server.listen(0, '127.0.0.1');
  await once(instance.server, 'listening');
  return instance;
}

/** Sends each request to an instance that was ready at the last probe, over connections that it keeps, and never twice. */
function createBalancer(instances: readonly Instance[]) {
  const agent = new Agent({ keepAlive: true });
  const notReady = new Set<Instance>();
  let turn = 0;
  const probing = setInterval(() => {
    for (const instance of instances) {
      void ask(instance, '/readyz', new Agent()).then((outcome) => {
        if (outcome === 'served') notReady.delete(instance);
        else notReady.add(instance);
      });
    }
  }, PROBE_EVERY_MS);

  function ask({ server }: Instance, path: string, by: Agent): Promise<'served' | 'lost'> {
    const address = server.address() as AddressInfo | null;
    if (address === null) return Promise.resolve('lost');
    return new Promise((resolve) => {
      get({ host: '127.0.0.1', port: address.port, path, agent: by }, (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode === 200 ? 'served' : 'lost'));
        response.once('error', () => resolve('lost'));
      }).once('error', () => resolve('lost'));
    });
  }

  return {
    async ask(): Promise<'served' | 'lost'> {
      const ready = instances.filter((instance) => !notReady.has(instance));
      const instance = ready[turn++ % Math.max(1, ready.length)];
      if (instance !== undefined) return ask(instance, '/', agent);
      await sleep(1);
      return 'lost';
    },
    close(): void {
      clearInterval(probing);
      agent.destroy();
    },
  };
}
