/**
 * What it is: lists are read page by page from where the last page ended, never by counting rows from the start.
 * What fails without it: reading 200,000 rows by OFFSET, 200 a page, takes several times as long, and skips 495 of
 *   them when others are deleted meanwhile (bench/results/patterns.json).
 * How it works: every list's order ends in the id, so it is unique. The cursor is the last row's place in that order,
 *   opaque and signed, bound to its list and filter; one extra row per page shows whether there is a next page.
 * What it costs: no jumping to page 512, no total count. Its bound: PAGE_ROWS_MAX, CURSOR_CHARS_MAX.
 * Its proof: test/db/keyset-pagination.test.ts, bench/patterns/keyset-pagination.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { AppError } from '../errors.ts';
import { CURSOR_CHARS_MAX, PAGE_ROWS_DEFAULT } from '../limits.ts';

/** A place in an order: the sort values of one row, the id last. */
export type Place = readonly (string | number | null)[];

/** In a list that is ordered by the id alone. */
export type IdPlace = readonly [id: number];

export interface Page<T> {
  readonly items: T[];
  /** Send it back to get the next page; null on the last one. */
  readonly nextCursor: string | null;
}

export interface Cursors {
  /** `list` names the list and its filter: a cursor of one list is refused by another. */
  encode(list: string, place: Place): string;
  /** Throws AppError `invalid` for a cursor that we did not sign, of another list, or of another version. */
  decode(list: string, cursor: string | undefined): Place | undefined;
  /**
   * One page. `read` gets the place to continue after and the number of rows to read: one more than the page holds, to
   * see whether there is a next page.
   */
  page<T, P extends Place>(
    list: string,
    query: { readonly limit?: number | undefined; readonly cursor?: string | undefined },
    read: (after: P | undefined, rows: number) => Promise<T[]>,
    placeOf: (row: T) => Place,
  ): Promise<Page<T>>;
}

const VERSION = 1;
const SIGNATURE_BYTES = 12;

export function createCursors(secretKey: string): Cursors {
  const sign = (payload: string) =>
    createHmac('sha256', secretKey).update(`cursor\0${payload}`).digest().subarray(0, SIGNATURE_BYTES);
  const cursors: Cursors = {
    encode(list, place) {
      const payload = Buffer.from(JSON.stringify([VERSION, list, ...place])).toString('base64url');
      return `${payload}.${sign(payload).toString('base64url')}`;
    },
    decode(list, cursor) {
      if (cursor === undefined) return undefined;
      const [payload = '', signature = '', ...rest] = cursor.length <= CURSOR_CHARS_MAX ? cursor.split('.') : [];
      const given = Buffer.from(signature, 'base64url');
      if (rest.length > 0 || given.length !== SIGNATURE_BYTES || !timingSafeEqual(given, sign(payload))) throw stale();
      const [version, cursorList, ...place] = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
      if (version !== VERSION || cursorList !== list) throw stale();
      return place;
    },
    async page<T, P extends Place>(
      list: string,
      { limit = PAGE_ROWS_DEFAULT, cursor }: { limit?: number | undefined; cursor?: string | undefined },
      read: (after: P | undefined, rows: number) => Promise<T[]>,
      placeOf: (row: T) => Place,
    ): Promise<Page<T>> {
      const rows = await read(cursors.decode(list, cursor) as P | undefined, limit + 1);
      const items = rows.slice(0, limit);
      const last = items.at(-1);
      const isLastPage = rows.length <= limit || last === undefined;
      return { items, nextCursor: isLastPage ? null : cursors.encode(list, placeOf(last)) };
    },
  };
  return cursors;
}

function stale(): AppError {
  return new AppError('invalid', 'This cursor is not valid for this list. Leave it out to start from the first page.');
}
