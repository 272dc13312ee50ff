/** What a process says of itself at /metrics, as far as sockets are concerned. */
import { PROM_RESOLUTION_MS } from '../../../watch/limits.ts';

export interface ProcessFigures {
  readonly sockets: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** The longest since the last time that anybody asked. */
  readonly stallMs: number;
}

const ANSWER_MS = 20_000;

/** Throws when it does not answer: a process that is too busy for this holds nothing. */
export async function processFigures(url: string): Promise<ProcessFigures> {
  const answer = await fetch(new URL('/metrics', url), { signal: AbortSignal.timeout(ANSWER_MS) });
  return parseProcessFigures(await answer.text());
}

export function parseProcessFigures(text: string): ProcessFigures {
  return {
    sockets: numberOf(text, 'tardigrade_sockets'),
    rssBytes: numberOf(text, 'process_resident_memory_bytes'),
    heapBytes: numberOf(text, 'nodejs_heap_size_used_bytes'),
    // The time between two ticks is counted; the resolution itself is not a stall.
    stallMs: Math.max(0, numberOf(text, 'nodejs_eventloop_lag_max_seconds') * 1000 - PROM_RESOLUTION_MS),
  };
}

/** 0 for a value that is missing, or is not a number yet. */
function numberOf(text: string, name: string): number {
  return Number(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)`, 'm').exec(text)?.[1]) || 0;
}
