import { get } from '../api.js';
import { el } from '../el.js';
import { formatAgo, formatNumber } from '../format.js';
import { pagedTable } from '../pages.js';
import { field, heading, moodMark, slot, statusMark } from '../parts.js';

export function conversationsView({ signal }) {
  const campaign = el('select', { id: 'campaign' }, el('option', { value: '' }, 'All campaigns'));
  const list = pagedTable({
    caption: 'Conversations',
    columns: ['Who', 'Campaign', 'Mood', 'Answers', 'State', 'Last message'],
    fetchPage: (cursor) => get('/api/conversations', { limit: 50, cursor, campaignId: campaign.value }, signal),
    row: conversationRow,
    empty: 'No conversation yet. They begin when someone opens the link in their mail.',
  });
  campaign.addEventListener('change', list.restart);
  const refresh = el('button', { type: 'button', onclick: list.restart }, 'Refresh');
  const fill = ({ items }) => void campaign.append(...items.map((one) => el('option', { value: one.id }, one.name)));
  const options = slot(() => get('/api/campaigns', { limit: 200 }, signal), fill);
  return [
    heading('Conversations'),
    el('div', { class: 'filters' }, field('Campaign', campaign), refresh, options),
    list.node,
  ];
}

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
    statusMark(one.finishedAt ? 'finished' : 'open'),
    formatAgo(one.lastMessageAt),
  ];
}
