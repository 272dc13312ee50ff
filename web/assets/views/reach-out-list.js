import { get } from '../api.js';
import { el } from '../el.js';
import { formatTime } from '../format.js';
import { pagedTable } from '../pages.js';
import { field, statusMark } from '../parts.js';

const STATUSES = ['waiting', 'sending', 'sent', 'failed', 'skipped'];

/** Who gets the mail and what became of it. Returns { node, restart }. */
export function reachOutList(campaignId, signal) {
  const status = el(
    'select',
    { id: 'status' },
    el('option', { value: '' }, 'All'),
    STATUSES.map((one) => el('option', { value: one }, one)),
  );
  const list = pagedTable({
    caption: 'Reach-outs',
    columns: ['Employee', 'Status', 'Tries', 'Sent', 'Reason'],
    fetchPage: (cursor) =>
      get(`/api/campaigns/${campaignId}/reach-outs`, { limit: 50, status: status.value, cursor }, signal),
    row: (one) => [
      [one.employee.name, el('br'), el('small', { class: 'soft' }, one.employee.email)],
      statusMark(one.status),
      String(one.attempts),
      formatTime(one.sentAt),
      one.error ?? '–',
    ],
    empty: 'None.',
  });
  status.addEventListener('change', list.restart);
  const refresh = el('button', { type: 'button', onclick: list.restart }, 'Refresh');
  const head = el('div', { class: 'filters' }, field('Status', status), refresh);
  return {
    node: el('section', { class: 'stack' }, el('h2', null, 'Reach-outs'), head, list.node),
    restart: list.restart,
  };
}
