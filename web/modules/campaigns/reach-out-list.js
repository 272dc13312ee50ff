import { get } from '/assets/api.js';
import { el } from '/assets/el.js';
import { formatTime } from '/assets/format.js';
import { pagedTable } from '/assets/pages.js';
import { field, run, statusMark } from '/assets/parts.js';

const KINDS = { waiting: '', sending: 'warn', sent: 'good', failed: 'bad', skipped: '' };

/**
 * The recipients, and what became of each one's email; with `retry(campaign)` a failed one can be sent to again.
 * Returns { node, restart }.
 */
export function reachOutList(campaignId, retry, signal) {
  const status = el(
    'select',
    { id: 'status' },
    el('option', { value: '' }, 'All'),
    Object.keys(KINDS).map((one) => el('option', { value: one }, one)),
  );
  const list = pagedTable({
    caption: 'Recipients',
    columns: ['Employee', 'Status', 'Tries', 'Sent', 'Reason'],
    fetchPage: (cursor) =>
      get(`/api/v1/campaigns/${campaignId}/reach-outs`, { limit: 50, status: status.value, cursor }, signal),
    row: (one) => [
      [one.employee.name, el('br'), el('small', { class: 'soft' }, one.employee.email)],
      statusMark(one.status, KINDS[one.status]),
      String(one.attempts),
      formatTime(one.sentAt),
      reasonOf(one),
    ],
    empty: 'No recipients with this status.',
  });
  const reasonOf = (one) => {
    const words = [one.error, one.complainedAt && `marked as spam ${formatTime(one.complainedAt)}`]
      .filter(Boolean)
      .join('; ');
    if (one.status !== 'failed') return words || '–';
    if (one.suppressed) return [words, ' ', el('a', { href: '#/suppressions' }, 'suppressed')];
    return retry ? [words, ' ', again(one)] : words;
  };
  const again = (one) => {
    const fault = el('div');
    const act = () => retry({ reachOutId: one.id });
    const button = el('button', { type: 'button', onclick: () => run(button, fault, act) }, 'Send again');
    return [button, fault];
  };
  status.addEventListener('change', list.restart);
  const refresh = el('button', { type: 'button', onclick: list.restart }, 'Refresh');
  const head = el('div', { class: 'filters' }, field('Status', status), refresh);
  return {
    node: el('section', { class: 'stack' }, el('h2', null, 'Recipients'), head, list.node),
    restart: list.restart,
  };
}
