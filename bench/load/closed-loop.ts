/**
 * Capacity of one route: as many clients as said, each asking again as soon as it has its answer. Good for the highest
 * throughput, useless for latency (whoever waits does not ask), so that no latency comes out of it.
 * Of autocannon only its asking is used: its correction for rates fills in a request per millisecond, whatever the rate.
 */
import autocannon from 'autocannon';
import { type Checks, createOwners, runCheck } from './checks.ts';
import { WRONG_SAMPLES_MAX } from './limits.ts';
import type { ClosedLoopPlan } from './plan.ts';

export interface CapacityFigures {
  readonly route: string;
  readonly connections: number;
  /** Mean of right answers a second. */
  readonly perSecond: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly wrong: number;
  readonly wrongSamples: readonly string[];
  readonly failed: number;
  readonly bytesPerAnswer: number;
}

export async function runClosedLoop(
  { url, request, connections, seconds }: ClosedLoopPlan,
  checks: Checks,
): Promise<CapacityFigures> {
  const owners = createOwners();
  const statuses: Record<string, number> = {};
  const wrongSamples: string[] = [];
  const counts = { right: 0, wrong: 0, failed: 0, bytes: 0 };

  function received(status: number, body: string, headers: Record<string, string>): void {
    statuses[status] = (statuses[status] ?? 0) + 1;
    counts.bytes += Buffer.byteLength(body);
    if (status === 429 || status >= 500) return void counts.failed++;
    const wrong = request.expect.includes(status)
      ? runCheck(checks, request.check, { status, headers, bytes: Buffer.from(body), json: parse(body) }, owners)
      : `status ${status}, expected ${request.expect.join(' or ')}`;
    if (wrong === undefined) return void counts.right++;
    counts.wrong++;
    if (wrongSamples.length < WRONG_SAMPLES_MAX) wrongSamples.push(wrong);
  }

  const result = await autocannon({
    url: new URL(request.path, url).href,
    connections,
    duration: seconds,
    requests: [
      {
        method: request.method,
        ...(request.headers === undefined ? {} : { headers: request.headers }),
        ...(request.body === undefined ? {} : { body: request.body }),
        onResponse: (status, body, _context, headers) => received(status, body, headers),
      },
    ],
  });
  const answers = counts.right + counts.wrong + counts.failed;
  return {
    route: request.route,
    connections,
    perSecond: counts.right / result.duration,
    statuses,
    wrong: counts.wrong,
    wrongSamples,
    failed: counts.failed + result.errors + result.timeouts,
    bytesPerAnswer: answers === 0 ? 0 : counts.bytes / answers,
  };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
