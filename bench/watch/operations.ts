/** What only the whole product knows: how deep its queues are, and how far behind the replica is. */
import type { Account } from '../load/plan.ts';
import { OPERATIONS_MS } from './limits.ts';

export interface OperationsSample {
  /** Jobs that nobody has taken yet, and outbox rows. */
  readonly queued: number;
  readonly replicaLagMs: number | null;
}

/** Undefined when the api does not say in time. */
export async function operations(url: string, { token }: Account): Promise<OperationsSample | undefined> {
  try {
    const answer = await fetch(new URL('/api/v1/operations', url), {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(OPERATIONS_MS),
    });
    if (!answer.ok) return undefined;
    const { queues, outbox, replica } = (await answer.json()) as {
      queues: readonly { waiting: number }[];
      outbox: { waiting: number };
      replica: { lagMs: number | null };
    };
    const waiting = queues.reduce((sum, queue) => sum + queue.waiting, outbox.waiting);
    return { queued: waiting, replicaLagMs: replica.lagMs };
  } catch {
    return undefined;
  }
}
