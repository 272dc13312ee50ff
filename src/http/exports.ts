/**
 * Files that are streamed take long: so many at once, of all kinds together, and so many of one organisation. How slowly
 * one may be read is bounded where it is sent (src/http/csv-reply.ts). Nobody's file is cut off for somebody else's while
 * it is read: whoever reads it would wait longer for the whole than others for a place. Somebody who does not read on
 * gives it up to an organisation that has fewer. Of all files together one page is read at a time: a file is wanted soon,
 * and what people wait for on a page is wanted now.
 */
import { overloaded } from '../errors.ts';
import { createFairPlaces } from '../flow/fair-places.ts';
import { createSemaphore } from '../flow/semaphore.ts';
import { EXPORT_PAGES_AT_ONCE_MAX, EXPORTS_AT_ONCE_MAX, EXPORTS_OF_ORGANISATION_MAX } from '../limits.ts';

export interface Exports {
  /** Rejects with AppError `overloaded` when there are too many. */
  run<T>(orgId: number, work: (place: ExportPlace) => Promise<T>): Promise<T>;
}

export interface ExportPlace {
  /** Says who reads what takes the place. */
  watch(reader: Reader): void;
  /** The same pages, each of which waits for its turn. */
  inTurn<Page>(pages: AsyncIterable<Page>): AsyncGenerator<Page>;
}

/** Whoever reads an export. */
export interface Reader {
  /** For EXPORT_STALLED_MS nothing was taken, though there was something to take. */
  isStalled(): boolean;
  cutOff(): void;
}

export function createExports(): Exports {
  const turns = createSemaphore('exports', { atOnce: EXPORT_PAGES_AT_ONCE_MAX, waiting: EXPORTS_AT_ONCE_MAX });
  async function* inTurn<Page>(pages: AsyncIterable<Page>): AsyncGenerator<Page> {
    const iterator = pages[Symbol.asyncIterator]();
    try {
      while (true) {
        const { done, value } = await turns.run(() => iterator.next());
        if (done === true) return;
        yield value;
      }
    } finally {
      await iterator.return?.();
    }
  }
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
        const watch = (its: Reader) => {
          reader = its;
        };
        return await work({ watch, inTurn });
      } finally {
        leave();
      }
    },
  };
}
