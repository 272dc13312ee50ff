/**
 * What it is: any number of rows goes out in constant memory.
 * What fails without it: 300,000 rows in one JSON.stringify end a 512 MB process.
 * How it works: short keyset queries of EXPORT_PAGE_ROWS, one page in memory; the next is read only when the client has
 *   taken the last (back-pressure of the stream). No cursor, connection or snapshot is held while a slow client reads.
 * What it costs: rows that change during the export are seen as they are when their page is read.
 * Its bound: EXPORT_PAGE_ROWS, EXPORTS_AT_ONCE_MAX. Its proof: test/db/streaming-export.test.ts, bench/patterns/streaming-export.
 */
import type { Place } from './keyset-pagination.ts';

/** Rows page by page; `page` gets the place after which to go on and returns the rows with their place. */
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
