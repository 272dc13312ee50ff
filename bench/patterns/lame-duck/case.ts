import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PatternCase } from '../pattern.ts';
import { closeInstance, createBalancer, type Instance, type InstanceTwin, startInstance } from '../probing-balancer.ts';

type Input = { readonly replacements: number; readonly requestsPerClient: number };

const PROBE_EVERY_MS = 200;
const NOES_BELIEVED = 2; // as most balancers are set: one probe can be late by chance
/** Longer than the probes that it takes, wherever between two of them the stop begins. */
export const LAME_DUCK_MS = PROBE_EVERY_MS * (NOES_BELIEVED + 2);

const CLIENTS = 8;
const REPLACEMENTS = 5;

export const pattern: PatternCase<InstanceTwin, Input> = {
  shipped: 'src/process/graceful-shutdown.ts',
  withoutIt: 'a process that finishes all it has begun still refuses what the balancer goes on sending it',
  asks: `${CLIENTS} clients ask through a balancer that probes every ${PROBE_EVERY_MS} ms and believes the second no, while two instances are replaced in turn, ${REPLACEMENTS} times. Both twins finish every request that they have taken.`,
  breaks: 'requests are sent to a closed door',
  holds: 'no request is lost',
  headline: ({ refused = 0 }) => `${refused} requests refused in ${REPLACEMENTS} deploys`,
  small: { replacements: 0, requestsPerClient: 20 },
  full: { replacements: REPLACEMENTS, requestsPerClient: Number.POSITIVE_INFINITY },

  async perform({ createInstance }, { replacements, requestsPerClient }) {
    const instances = [await startInstance(createInstance), await startInstance(createInstance)];
    const balancer = createBalancer(instances, { probeEveryMs: PROBE_EVERY_MS, noesBelieved: NOES_BELIEVED });
    let isDone = false;
    const figures = { served: 0, refused: 0 };
    const client = async () => {
      for (let n = 0; n < requestsPerClient && !isDone; n++)
        figures[(await balancer.ask()) === 'served' ? 'served' : 'refused']++;
    };
    const clients = Array.from({ length: CLIENTS }, client);
    for (let n = 0; n < replacements; n++) {
      const place = n % 2;
      await (instances[place] as Instance).stop();
      await sleep(LAME_DUCK_MS); // until the next one has started elsewhere
      instances[place] = await startInstance(createInstance);
      await sleep(LAME_DUCK_MS);
    }
    isDone = replacements > 0;
    await Promise.all(clients);
    balancer.close();
    instances.forEach(closeInstance);
    const counted = replacements > 0 ? 'any number' : figures.served;
    return { digest: createHash('sha256').update(`${counted} served`).digest('hex'), figures };
  },

  isBroken: ({ ending, figures }) => ending === 'finished' && (figures.refused ?? 0) > 0,
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.refused === 0 && (figures.served ?? 0) > 100,
};
