import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PatternCase } from '../pattern.ts';
import { closeInstance, createBalancer, type Instance, type InstanceTwin, startInstance } from '../probing-balancer.ts';

type Input = { readonly replacements: number; readonly requestsPerClient: number };

/** Longer than two probes. */
export const LAME_DUCK_MS = 700;

const CLIENTS = 8;
const REPLACEMENTS = 5;
const PROBE_EVERY_MS = 200;
const PROBES_MS = 250;

export const pattern: PatternCase<InstanceTwin, Input> = {
  shipped: 'src/process/graceful-shutdown.ts',
  withoutIt: 'every deploy cuts off requests and jobs midway',
  asks: `${CLIENTS} clients ask without a pause, through a balancer that probes every ${PROBE_EVERY_MS} ms, while two instances are replaced in turn, ${REPLACEMENTS} times.`,
  breaks: 'requests are lost',
  holds: 'no request is lost',
  headline: ({ lost = 0 }) => `${lost} requests lost in ${REPLACEMENTS} deploys`,
  small: { replacements: 0, requestsPerClient: 20 },
  full: { replacements: REPLACEMENTS, requestsPerClient: Number.POSITIVE_INFINITY },

  async perform({ createInstance }, { replacements, requestsPerClient }) {
    const instances = [await startInstance(createInstance), await startInstance(createInstance)];
    const balancer = createBalancer(instances, { probeEveryMs: PROBE_EVERY_MS, noesBelieved: 1 });
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
      instances[place] = await startInstance(createInstance);
      await sleep(2 * PROBES_MS);
    }
    isDone = replacements > 0;
    await Promise.all(clients);
    balancer.close();
    instances.forEach(closeInstance);
    const counted = replacements > 0 ? 'any number' : figures.served;
    const digest = createHash('sha256').update(`${counted} served`).digest('hex');
    return { digest, figures };
  },

  isBroken: ({ ending, figures }) => ending === 'finished' && (figures.lost ?? 0) > 0,
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.lost === 0 && (figures.served ?? 0) > 100,
};
