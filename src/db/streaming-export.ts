/**
 * What it is: an export of any number of rows in constant memory.
 * What fails without it: a million rows in one text exhaust the heap of a 512 MB process (bench/results/patterns.json).
 * How it works: short keyset queries of EXPORT_PAGE_ROWS, one page in memory; the next is read only when the client has
 *   consumed the last (the stream's backpressure). No cursor, connection or snapshot is held while a slow client reads.
 * What it costs: the export is not a snapshot: each row is exported as it is when its page is read.
 * Its bound: EXPORT_PAGE_ROWS, EXPORTS_AT_ONCE_MAX, EXPORTS_OF_ORGANISATION_MAX. Its proof: test/db/streaming-export.test.ts, bench/patterns/streaming-export.
 */
import type { Place } from './keyset-pagination.ts';

/** Rows page by page; `page` gets the place to continue after and returns the next rows. */
export async function* eachPage<T>(
  page: (after: Place | undefined) => Promise<T[]>,
  placeOf: (row: T) => Place,
  pageRows: number,
): AsyncGenerator<T[]> {
  let after: Place | undefined;
  while (true) {
    const rows = await page(after);
    if (rows.length > 0) yield rows;
    if (rows.length < pageRows) return;
    after = placeOf(rows.at(-1) as T);
  }
}
