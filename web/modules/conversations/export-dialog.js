import { queryString } from '/assets/api.js';
import { el } from '/assets/el.js';
import { dayAgo } from '/assets/format.js';
import { field, openDialog } from '/assets/parts.js';

const RANGE_DEFAULT_DAYS = 28;

/** Asks for the days, then lets the browser stream the file to the disk. */
export function exportDialog() {
  openDialog('Export answers', (close) => {
    const day = (id, value) =>
      el('input', { id, type: 'date', required: true, value, max: dayAgo(0), oninput: relink });
    const download = el('a', { class: 'button primary', download: true, onclick: close }, 'Download CSV');
    const from = day('from', dayAgo(RANGE_DEFAULT_DAYS - 1));
    const to = day('to', dayAgo(0));
    function relink() {
      const range = { from: from.value, to: to.value };
      download.setAttribute('href', `/api/v1/exports/answers.csv${queryString(range)}`);
    }
    relink();
    const hint = 'Days are in UTC; an answer belongs to the day on which it was given.';
    return [
      field('From', from),
      field('To, inclusive', to, hint),
      el('div', { class: 'actions' }, download, el('button', { type: 'button', onclick: close }, 'Cancel')),
    ];
  });
}
