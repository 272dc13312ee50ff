// A list that grows page by page with the server's cursor (keyset pagination): no page numbers, no counting.

import { el, put } from './el.js';
import { focusTitle, notice, table } from './parts.js';

/**
 * `fetchPage(cursor)` -> { items, nextCursor }; `row(item)` -> cells.
 * Returns { node, restart }; `restart` forgets everything and loads the first page again.
 * @template One
 * @param {object} given
 * @param {string} given.caption
 * @param {string[]} given.columns
 * @param {(cursor: string | null) => Promise<{ items: One[], nextCursor: string | null }>} given.fetchPage
 * @param {(item: One) => unknown[]} given.row
 * @param {string} given.empty
 */
export function pagedTable({ caption, columns, fetchPage, row, empty }) {
  const holder = el('div');
  const foot = el('div', { class: 'actions' });
  let round = 0;

  const load = async (body, cursor) => {
    const mine = round;
    const more = el('button', { type: 'button', disabled: true }, 'Loading…');
    put(foot, more);
    try {
      const page = await fetchPage(cursor);
      if (mine !== round) return; // a newer search has begun
      const target = body ?? firstPage(page);
      if (body) target?.append(...table('', columns, page.items.map(row)).tBodies[0].rows);
      const next = el('button', { type: 'button', onclick: () => load(target, page.nextCursor) }, 'Load more');
      put(foot, page.nextCursor && next);
    } catch (error) {
      if (error.name === 'AbortError' || mine !== round) return;
      put(foot, notice(error), el('button', { type: 'button', onclick: () => load(body, cursor) }, 'Try again'));
    }
  };

  const firstPage = (page) => {
    const hadFocus = holder.contains(document.activeElement);
    const built = page.items.length === 0 ? undefined : table(caption, columns, page.items.map(row));
    put(holder, built ?? el('p', { class: 'empty' }, empty));
    if (hadFocus) focusTitle();
    return built?.tBodies[0];
  };

  const restart = () => {
    round++;
    return load(null, null);
  };
  restart();
  return { node: el('div', { class: 'pages' }, holder, foot), restart };
}
