/**
 * What it is: /livez (the event loop is running), /readyz (everything without which this process is of no use
 *   answers), /startedz (it was ready once), /metrics.
 * What fails without it: traffic reaches a process that cannot serve it, or an orchestrator restarts one that is only
 *   waiting for its database. Checks that open their own connections exhaust them under load and cause the outage. And
 *   a check of something that the process can do without takes every instance away at once: api and chat serve people
 *   while Redis is down, so it is not among their checks.
 * How it works: each part that is needed registers one check, which uses its existing connections; probes within
 *   HEALTH_CACHE_MS share a run.
 * What it costs: one cheap query per part and second, however often it is probed.
 * Its bound: HEALTH_CHECK_MS per check.
 * Its proof: test/process/health-check.test.ts, test/process/without-redis.test.ts, bench/patterns/health-check.
 */

import { HEALTH_CACHE_MS, HEALTH_CHECK_MS } from '../limits.ts';
import { within } from '../within.ts';

export interface Readiness {
  readonly ready: boolean;
  /** For each part `ok`, or the reason why not, for an operator. */
  readonly checks: Readonly<Record<string, string>>;
  /** Only of a marked deployment: load tools ask for it. */
  readonly environment?: 'staging';
}

export interface Health {
  /** Aborted when the process begins to stop. */
  readonly stopping: AbortSignal;
  register(part: string, check: () => Promise<unknown>): void;
  readiness(): Promise<Readiness>;
  /** Whether it was ever ready: until then an orchestrator waits, and does not restart it because it is slow. */
  hasStarted(): Promise<boolean>;
}

export function createHealth(stopping: AbortSignal, environment: 'unmarked' | 'staging' = 'unmarked'): Health {
  const mark = environment === 'staging' ? { environment } : {};
  const checks = new Map<string, () => Promise<unknown>>();
  let started = false;
  let cached: { at: number; result: Promise<Readiness> } | undefined;

  async function run(): Promise<Readiness> {
    const results = await Promise.all([...checks].map(async ([part, check]) => [part, await outcome(check)] as const));
    const ready = results.every(([, result]) => result === 'ok');
    started ||= ready;
    return { ready, checks: Object.fromEntries(results), ...mark };
  }

  async function readiness(): Promise<Readiness> {
    if (stopping.aborted) return { ready: false, checks: { process: 'stopping' }, ...mark };
    if (cached === undefined || performance.now() - cached.at > HEALTH_CACHE_MS) {
      cached = { at: performance.now(), result: run() };
    }
    return cached.result;
  }

  return {
    stopping,
    register: (part, check) => void checks.set(part, check),
    readiness,
    hasStarted: async () => started || (await readiness()).ready,
  };
}

async function outcome(check: () => Promise<unknown>): Promise<string> {
  try {
    const answer = await within(
      HEALTH_CHECK_MS,
      check().then(() => 'ok'),
    );
    return answer ?? `no answer within ${HEALTH_CHECK_MS} ms`;
  } catch (error) {
    return error instanceof Error ? error.message || error.name : String(error);
  }
}
