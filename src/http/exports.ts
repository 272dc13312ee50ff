/**
 * Files that are streamed take long: so many at once, of all kinds together, and so many of one organisation. How slowly
 * one may be read is bounded where it is sent (src/http/csv-reply.ts).
 */
import { overloaded } from '../errors.ts';
import { createFairPlaces } from '../flow/fair-places.ts';
import { EXPORTS_AT_ONCE_MAX, EXPORTS_OF_ORGANISATION_MAX } from '../limits.ts';

export interface Exports {
  /** Rejects with AppError `overloaded` when there are too many. */
  run<T>(orgId: number, work: () => Promise<T>): Promise<T>;
}

export function createExports(): Exports {
  const places = createFairPlaces({ places: EXPORTS_AT_ONCE_MAX, perKey: EXPORTS_OF_ORGANISATION_MAX });
  return {
    async run(orgId, work) {
      // Nobody's file is cut off for somebody else's: those who read it wait longer for the whole than others for a place.
      const leave = places.enter(String(orgId), 'stays');
      if (leave === undefined) throw overloaded('exports');
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
