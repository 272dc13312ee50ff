/** What a process says of itself at /metrics, as far as the live view wants it. */
import { METRICS_MS, PROM_RESOLUTION_MS } from './limits.ts';

export interface ProcessMetrics {
  /** Since the last sample: prom-client forgets the delays at each one. */
  readonly eventLoopDelayP99Ms: number;
  /** Callers that wait for a connection, to the primary or the replica. */
  readonly poolWaiting: number;
}

/** Undefined when no answer comes in time: a dead process, or one too busy to say. */
export async function processMetrics(url: string): Promise<ProcessMetrics | undefined> {
  try {
    const answer = await fetch(new URL('/metrics', url), { signal: AbortSignal.timeout(METRICS_MS) });
    return answer.ok ? parseMetrics(await answer.text()) : undefined;
  } catch {
    return undefined;
  }
}

/** From the Prometheus text format. A value that is missing, or no number yet, counts as 0. */
export function parseMetrics(text: string): ProcessMetrics {
  const delayMs = sumOf(text, /^nodejs_eventloop_lag_p99_seconds(?:\{.*\})? (\S+)/gm) * 1000;
  return {
    // The time between two ticks is counted; the resolution itself is not delay.
    eventLoopDelayP99Ms: Math.max(0, delayMs - PROM_RESOLUTION_MS),
    poolWaiting: sumOf(text, /^tardigrade_pool_\w+_waiting(?:\{.*\})? (\S+)/gm),
  };
}

function sumOf(text: string, line: RegExp): number {
  return [...text.matchAll(line)].reduce((sum, [, value]) => sum + (Number(value) || 0), 0);
}
