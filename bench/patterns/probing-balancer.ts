/** What stands in front of instances that come and go: it asks /readyz, and believes what it has heard often enough. */
import { once } from 'node:events';
import { Agent, get, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Instance {
  readonly server: Server;
  stop(): Promise<unknown>;
}

export type InstanceTwin = { createInstance(answer: RequestListener): Instance };

const WORK_MS = 5;

export interface BalancerOptions {
  readonly probeEveryMs: number;
  /** It stops sending requests after so many noes in a row. */
  readonly noesBelieved: number;
}

export async function startInstance(createInstance: InstanceTwin['createInstance']): Promise<Instance> {
  const instance = createInstance((_request, response) => void setTimeout(() => response.end('served'), WORK_MS));
  instance.server.listen(0, '127.0.0.1');
  await once(instance.server, 'listening');
  return instance;
}

export function closeInstance({ server }: Instance): void {
  server.closeAllConnections();
  server.close();
}

/** Sends each request to an instance that it believes in, over connections that it keeps, and never twice. */
export function createBalancer(instances: readonly Instance[], { probeEveryMs, noesBelieved }: BalancerOptions) {
  const agent = new Agent({ keepAlive: true });
  const noes = new Map<Instance, number>();
  let turn = 0;
  const probing = setInterval(() => {
    for (const instance of instances) {
      void ask(instance, '/readyz', new Agent()).then((outcome) => {
        noes.set(instance, outcome === 'served' ? 0 : (noes.get(instance) ?? 0) + 1);
      });
    }
  }, probeEveryMs);

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
      const believed = instances.filter((instance) => (noes.get(instance) ?? 0) < noesBelieved);
      const instance = believed[turn++ % Math.max(1, believed.length)];
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
