import { createHash } from 'node:crypto';
import { createRandom } from '../../load/random.ts';
import type { PatternCase } from '../pattern.ts';

/** Milliseconds until a client that was sent away comes back: after the stop (attempt 0), and after failed attempts. */
type Twin = { returnMs(clients: number, attempt: number, random: () => number): number };
type Input = { readonly clients: number };

const CLIENTS = 20_000;
/** What the server can greet. A client that waits longer gives up, but the server does not know, and greets it all the same. */
const GREETED_PER_MS = 2;
const PATIENCE_MS = 1_000;
const SIMULATED_MS = 60_000;
const BACK_MS_MAX = 20_000;
const SEED = 5;

/** In simulated time: the lesson is in the arithmetic of queues, and a second of it takes a few milliseconds. */
export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/socket/retry-hint.ts',
  withoutIt: 'after a restart all clients come back at once, give up together, and come back together',
  asks: `A server that greets ${GREETED_PER_MS * 1_000} clients a second restarts; ${CLIENTS} clients come back, and give up after a second without an answer.`,
  breaks: `after ${SIMULATED_MS / 1_000} s clients are still outside: the server greets those that have given up`,
  holds: `all are back within ${BACK_MS_MAX / 1_000} s`,
  headline: ({ outside = 0, backMs = 0 }) =>
    outside > 0 ? `${outside.toLocaleString('en')} clients never back` : `all back in ${Math.round(backMs / 1_000)} s`,
  small: { clients: 100 },
  full: { clients: CLIENTS },

  async perform({ returnMs }, { clients }) {
    const { next } = createRandom(SEED);
    const arrivals = createCalendar<number>();
    const giveUps = createCalendar<Attempt>();
    const failures = new Uint32Array(clients);
    const back = new Set<number>();
    const queue: Attempt[] = [];
    let [head, greeted, backMs] = [0, 0, 0];
    for (let client = 0; client < clients; client++) arrivals.add(returnMs(clients, 0, next), client);

    for (let now = 0; now < SIMULATED_MS && back.size < clients; now++) {
      for (const attempt of giveUps.take(now)) {
        if (attempt.state === 'greeted') continue;
        attempt.state = 'given up';
        failures[attempt.client] = (failures[attempt.client] ?? 0) + 1;
        arrivals.add(now + 1 + returnMs(clients, failures[attempt.client] ?? 0, next), attempt.client);
      }
      for (const client of arrivals.take(now)) {
        const attempt: Attempt = { client, state: 'waits' };
        queue.push(attempt);
        giveUps.add(now + PATIENCE_MS, attempt);
      }
      for (const attempt of queue.slice(head, head + GREETED_PER_MS)) {
        head++;
        greeted++;
        if (attempt.state === 'given up') continue;
        attempt.state = 'greeted';
        back.add(attempt.client);
        backMs = now;
      }
    }
    const digest = createHash('sha256')
      .update([...back].toSorted((a, b) => a - b).join())
      .digest('hex');
    return { digest, figures: { outside: clients - back.size, backMs, greeted } };
  },

  isBroken: ({ figures }) => (figures.outside ?? 0) > 0,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' && figures.outside === 0 && (figures.backMs ?? Number.POSITIVE_INFINITY) <= BACK_MS_MAX,
};

interface Attempt {
  readonly client: number;
  state: 'waits' | 'greeted' | 'given up';
}

function createCalendar<T>() {
  const entries = new Map<number, T[]>();
  return {
    add(ms: number, entry: T) {
      const at = Math.floor(ms);
      const others = entries.get(at);
      if (others === undefined) entries.set(at, [entry]);
      else others.push(entry);
    },
    take(ms: number): readonly T[] {
      const due = entries.get(ms) ?? [];
      entries.delete(ms);
      return due;
    },
  };
}
