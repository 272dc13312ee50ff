/**
 * Files that are streamed take long: so many at once, of all kinds together, and so many of one organisation. How slowly
 * one may be read is bounded where it is sent (src/http/csv-reply.ts). Nobody's file is cut off for somebody else's while
 * it is read: whoever reads it would wait longer for the whole than others for a place. Somebody who does not read on
 * gives it up to an organisation that has fewer.
 */
import { overloaded } from '../errors.ts';
import { createFairPlaces } from '../flow/fair-places.ts';
import { EXPORTS_AT_ONCE_MAX, EXPORTS_OF_ORGANISATION_MAX } from '../limits.ts';

export interface Exports {
  /** Rejects with AppError `overloaded` when there are too many. */
  run<T>(orgId: number, work: (watch: WatchReader) => Promise<T>): Promise<T>;
}

/** Whoever reads an export. */
export interface Reader {
  /** For EXPORT_STALLED_MS nothing was taken, though there was something to take. */
  isStalled(): boolean;
  cutOff(): void;
}

/** Says who reads what takes the place. */
export type WatchReader = (reader: Reader) => void;

export function createExports(): Exports {
  const places = createFairPlaces({ places: EXPORTS_AT_ONCE_MAX, perKey: EXPORTS_OF_ORGANISATION_MAX });
  return {
    async run(orgId, work) {
      let reader: Reader | undefined;
      const leave = places.enter(
        String(orgId),
        () => reader?.cutOff(),
        () => reader?.isStalled() !== true,
      );
      if (leave === undefined) throw overloaded('exports');
      try {
        return await work((its) => {
          reader = its;
        });
      } finally {
        leave();
      }
    },
  };
}
