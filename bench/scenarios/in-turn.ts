import { Pool } from 'undici';
import { createOwners, runCheck } from '../load/checks.ts';
import { createClient } from '../load/client-memory.ts';
import type { Account } from '../load/plan.ts';
import { createRandom } from '../load/random.ts';
import { type Received, send } from '../load/send.ts';
import type { PlannedRequest, Step } from '../load/step.ts';
import type { Workload } from '../load/workload.ts';

export interface InTurn {
  readonly url: string;
  readonly accounts: readonly Account[];
  /** Steps, with how often each is asked per round. */
  readonly times: Readonly<Record<string, number>>;
  readonly rounds: number;
  readonly seed: number;
}

export interface Asked {
  readonly ms: number;
  readonly bytes: number;
}

export interface AskedInTurn {
  /** By step, one list per round. What a step asked instead, for want of something that it needs first, is not in it. */
  readonly rounds: Readonly<Record<string, readonly (readonly Asked[])[]>>;
  /** Answers that were no right ones, in words. */
  readonly wrong: readonly string[];
}

/**
 * Asks one request at a time, step by step, and all of it again in each round: nothing waits for anything else, so a
 * time is what the answer takes. One more round goes before the first, uncounted, to warm up what a first answer warms.
 */
export async function askInTurn(
  { steps, checks }: Pick<Workload, 'steps' | 'checks'>,
  { url, accounts, times, rounds, seed }: InTurn,
): Promise<AskedInTurn> {
  const pool = new Pool(new URL(url).origin, { connections: 1, pipelining: 1 });
  const random = createRandom(seed);
  const owners = createOwners();
  const clients = accounts.map(createClient);
  const found: Record<string, Asked[][]> = Object.fromEntries(Object.keys(times).map((step) => [step, []]));
  const wrong: string[] = [];
  let named = 0;
  const unique = () => `${seed.toString(36)}-${(++named).toString(36)}`;

  try {
    for (let round = 0; round <= rounds; round++) {
      for (const [name, count] of Object.entries(times)) {
        const asked: Asked[] = [];
        for (let time = 0; time < count; time++) {
          const client = clients[time % clients.length];
          if (client === undefined) throw new Error('Nobody is signed in.');
          const request = (steps[name] as Step).request({ client, random, owners, unique });
          const begun = performance.now();
          const received = await answerTo(pool, request);
          const ms = performance.now() - begun;
          const fault = faultOf(request, received) ?? runCheck(checks, request.check, received, owners);
          if (fault !== undefined) wrong.push(`${request.method} ${request.path}: ${fault}`);
          else request.remember?.(received);
          if (request.route === name && fault === undefined) asked.push({ ms, bytes: received.bytes.length });
        }
        if (round > 0) found[name]?.push(asked);
      }
    }
    return { rounds: found, wrong };
  } finally {
    await pool.destroy();
  }
}

function answerTo(pool: Pool, request: PlannedRequest): Promise<Received> {
  return new Promise((resolve) => send(pool, request, resolve));
}

function faultOf({ expect }: PlannedRequest, { status, error, bytes }: Received): string | undefined {
  if (error !== undefined) return error;
  return expect.includes(status) ? undefined : `status ${status}: ${bytes.toString('utf8', 0, 200)}`;
}
