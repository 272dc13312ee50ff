import type { IdPlace } from '../../../../src/db/keyset-pagination.ts';
import { createCursors } from '../../../../src/db/keyset-pagination.ts';
import type { Read } from './database.ts';
import { LISTS, type ReadList } from './lists.ts';

/** The step `pages`: a list is read page by page, from where the last one ended. */
export function pagedLists(read: Read, secretKey: string): ReadList {
  const cursors = createCursors(secretKey);
  return (list, orgId, query) => {
    const { select, key, order, toItem } = LISTS[list];
    const [beyond, start] = order === 'asc' ? ['>', 0] : ['<', Number.MAX_SAFE_INTEGER];
    return cursors.page(
      list,
      query,
      async ([after]: IdPlace = [start as number], rows) =>
        (await read(`${select} and ${key} ${beyond} $2 order by ${key} ${order} limit $3`, [orgId, after, rows])).map(
          toItem,
        ),
      ({ id }) => [id],
    );
  };
}
