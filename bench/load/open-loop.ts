/**
 * What it is: requests are sent when they are due, whatever became of the earlier ones, and an answer's latency counts
 *   from when its request was due.
 * What fails without it: a generator that waits for answers stops asking while the server stands still. It reports the
 *   stall once, for the one request that met it, and not for all who would have come meanwhile (coordinated omission).
 * How it works: due times are computed beforehand (schedule.ts). Whoever is due is handed to a pool of keep-alive
 *   connections; what waits there waits at its own expense. One arrival is one request.
 * What it costs: under overload, requests in flight pile up here; past a cap they are dropped and counted.
 * Its bound: CONNECTIONS_DEFAULT, IN_FLIGHT_MAX_DEFAULT, REQUEST_MS_DEFAULT. Its proof: test/bench/load/open-loop.test.ts.
 */
import { createWriteStream } from 'node:fs';
import { Pool } from 'undici';
import type { LoadFigures } from '../types.ts';
import { createOwners, runCheck } from './checks.ts';
import { CONNECTIONS_DEFAULT, IN_FLIGHT_MAX_DEFAULT, REQUEST_MS_DEFAULT, SAMPLE_EVERY_MS } from './limits.ts';
import { createMeter } from './meter.ts';
import type { LoadSample, OpenLoopPlan } from './plan.ts';
import { createRandom } from './random.ts';
import { createRequests } from './requests.ts';
import { beginningsOf, dueTimes, phaseAt, secondsOf } from './schedule.ts';
import { type Flight, type Received, send } from './send.ts';
import type { PlannedRequest } from './step.ts';
import type { Workload } from './workload.ts';

const SWEEP_MS = 100;

/**
 * Resolves when every request has its answer or has waited for `requestMs`. `signal` ends it early, figures included.
 * `onPhase` is told when a phase begins.
 */
export async function runOpenLoop(
  plan: OpenLoopPlan,
  { steps, checks }: Pick<Workload, 'steps' | 'checks'>,
  onSample: (sample: LoadSample) => void,
  signal?: AbortSignal,
  onPhase: (nth: number) => void = () => undefined,
): Promise<LoadFigures> {
  const { inFlightMax = IN_FLIGHT_MAX_DEFAULT, requestMs = REQUEST_MS_DEFAULT } = plan;
  const pool = new Pool(new URL(plan.url).origin, {
    connections: plan.connections ?? CONNECTIONS_DEFAULT,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    headersTimeout: 0, // our own sweep counts from the intended start
    bodyTimeout: 0,
  });
  const random = createRandom(plan.seed);
  const owners = createOwners();
  const requests = createRequests(plan, steps, owners, random);
  const seconds = secondsOf(plan.phases);
  const meter = createMeter({ seconds, warmUpSeconds: plan.warmUpSeconds ?? 0 });
  const history = plan.historyFile === undefined ? undefined : createWriteStream(plan.historyFile, { flags: 'a' });
  const flights = new Set<Flight>();

  function start(request: PlannedRequest, dueMs: number) {
    meter.due(dueMs, flights.size);
    if (flights.size >= inFlightMax) return meter.dropped(dueMs);
    const flight = send(pool, request, (received) => {
      flights.delete(flight);
      finished(request, dueMs, received);
    });
    flight.giveUpAt = meter.startedAt + dueMs + requestMs;
    flights.add(flight);
    meter.started(dueMs);
  }

  function finished(request: PlannedRequest, dueMs: number, received: Received): void {
    const wrong = judge(request, received);
    meter.finished(request.route, dueMs, received, wrong, phaseAt(plan.phases, dueMs)?.name);
    if (received.error !== undefined || !request.expect.includes(received.status)) return;
    if (wrong === undefined) request.remember?.(received);
    for (const entry of request.acknowledged?.(received) ?? []) history?.write(`${JSON.stringify(entry)}\n`);
  }

  function judge(request: PlannedRequest, received: Received): string | undefined {
    const { status, error } = received;
    if (error !== undefined || status === 429 || status >= 500) return undefined;
    const wrong = request.expect.includes(status)
      ? runCheck(checks, request.check, received, owners)
      : `status ${status}, expected ${request.expect.join(' or ')}: ${received.bytes.toString('utf8', 0, 200)}`;
    return wrong === undefined ? undefined : `${request.method} ${request.path}: ${wrong}`;
  }

  const sampling = setInterval(() => onSample(meter.sample(flights.size)), SAMPLE_EVERY_MS);
  const sweeping = setInterval(() => giveUp(flights), SWEEP_MS);
  const telling = beginningsOf(plan.phases).map((ms, nth) => setTimeout(onPhase, ms, nth));
  try {
    meter.start();
    for await (const dueMs of whenDue(dueTimes(plan.phases, plan.arrivals, random), meter.startedAt, signal)) {
      start(requests.next(), dueMs);
    }
    // The last phase lasts until its end, even when nothing is due any more.
    for await (const _end of whenDue([seconds * 1000], meter.startedAt, signal)) break;
    meter.windowEnds();
    while (flights.size > 0) await pause(SWEEP_MS / 10);
    return meter.figures();
  } finally {
    clearInterval(sampling);
    clearInterval(sweeping);
    for (const timer of telling) clearTimeout(timer);
    await pool.destroy();
    if (history !== undefined) await new Promise<void>((resolve) => history.end(() => resolve()));
  }
}

/** Yields each time when it has come: all that are due at once, then sleeps until the next one. */
export async function* whenDue(times: Iterable<number>, startedAt: number, signal?: AbortSignal) {
  for (const dueMs of times) {
    for (let wait = startedAt + dueMs - performance.now(); wait > 0; wait = startedAt + dueMs - performance.now()) {
      if (signal?.aborted) return;
      await pause(wait);
    }
    if (signal?.aborted) return;
    yield dueMs;
  }
}

function giveUp(flights: Set<Flight>): void {
  const now = performance.now();
  for (const flight of flights) {
    if (flight.giveUpAt > now) break; // in the order of their due times
    flight.giveUp();
  }
}

function pause(ms: number): Promise<void> {
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : Promise.resolve();
}
