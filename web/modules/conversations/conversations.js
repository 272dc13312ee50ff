import { get } from '/assets/api.js';
import { el } from '/assets/el.js';
import { formatAgo, formatNumber } from '/assets/format.js';
import { pagedTable } from '/assets/pages.js';
import { field, heading, slot } from '/assets/parts.js';
import { moodMark } from '/modules/mood/mood-words.js';
import { conversationStatus } from './conversation.js';
import { exportDialog } from './export-dialog.js';

export function conversationsView({ session, signal }) {
  const campaign = el('select', { id: 'campaign' }, el('option', { value: '' }, 'All campaigns'));
  const list = pagedTable({
    caption: 'Conversations',
    columns: ['Employee', 'Campaign', 'Mood', 'Answers', 'Status', 'Last message'],
    fetchPage: (cursor) => get('/api/v1/conversations', { limit: 50, cursor, campaignId: campaign.value }, signal),
    row: conversationRow,
    empty: 'No conversations yet. One begins when somebody opens the link in their email.',
  });
  campaign.addEventListener('change', list.restart);
  const refresh = el('button', { type: 'button', onclick: list.restart }, 'Refresh');
  const fill = ({ items }) => void campaign.append(...items.map((one) => el('option', { value: one.id }, one.name)));
  const options = slot(() => get('/api/v1/campaigns', { limit: 200 }, signal), fill);
  const exportButton = el('button', { type: 'button', onclick: exportDialog }, 'Export answers…');
  return [
    heading('Conversations', session.mayWrite && exportButton),
    el('div', { class: 'filters' }, field('Campaign', campaign), refresh, options),
    list.node,
  ];
}

/** @param {Item<'/api/v1/conversations'>} one */
function conversationRow(one) {
  return [
    [
      el('a', { href: `#/conversations/${one.id}` }, one.employee.name),
      el('br'),
      el('small', { class: 'soft' }, one.team?.name),
    ],
    one.campaign.name,
    moodMark(one.mood),
    formatNumber(one.answers),
    conversationStatus(one),
    formatAgo(one.lastMessageAt),
  ];
}
