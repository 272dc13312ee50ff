import { backoffMs } from '../../../src/flow/backoff.ts';
import { returnAfterMs } from '../../../src/socket/retry-hint.ts';

const BACKOFF_MS = { base: 500, max: 15_000 };

/** When the server said, which says another time to each; after a failure, exponential backoff with full jitter. */
export function returnMs(clients: number, attempt: number, random: () => number): number {
  return attempt === 0 ? returnAfterMs(clients, random) : backoffMs(attempt, BACKOFF_MS, random);
}
