/** Files that are streamed take long: so many at once, and so many of one organisation. */
import { overloaded } from '../errors.ts';
import { createSemaphore } from '../flow/semaphore.ts';
import { EXPORTS_AT_ONCE_MAX, EXPORTS_OF_ORGANISATION_MAX } from '../limits.ts';

export interface Exports {
  /** Rejects with AppError `overloaded` when there are too many. */
  run<T>(orgId: number, work: () => Promise<T>): Promise<T>;
}

export function createExports(): Exports {
  const all = createSemaphore('exports', { atOnce: EXPORTS_AT_ONCE_MAX, waiting: 0 });
  const running = new Map<number, number>();
  return {
    async run(orgId, work) {
      const own = running.get(orgId) ?? 0;
      if (own >= EXPORTS_OF_ORGANISATION_MAX) throw overloaded('exports of your organisation');
      running.set(orgId, own + 1);
      try {
        return await all.run(work);
      } finally {
        const left = (running.get(orgId) ?? 1) - 1;
        if (left === 0) running.delete(orgId);
        else running.set(orgId, left);
      }
    },
  };
}
