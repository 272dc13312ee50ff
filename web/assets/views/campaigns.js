import { get } from '../api.js';
import { el } from '../el.js';
import { formatNumber, formatTime } from '../format.js';
import { pagedTable } from '../pages.js';
import { heading, statusMark } from '../parts.js';
import { progressBar, progressText } from './campaign-progress.js';
import { scheduleText } from './schedule-dialog.js';

export function campaignsView({ session, signal }) {
  const list = pagedTable({
    caption: 'Campaigns',
    columns: ['Campaign', 'Status', 'Mails', 'Answers', 'When'],
    fetchPage: (cursor) => get('/api/campaigns', { limit: 50, cursor }, signal),
    row: campaignRow,
    empty: 'No campaign yet. Write the first one; nothing is sent before you say so.',
  });
  const create = el('a', { class: 'button primary', href: '#/campaigns/new' }, 'New campaign');
  return [heading('Campaigns', session.mayWrite && create), list.node];
}

function campaignRow(campaign) {
  const begun = campaign.progress.recipients > 0;
  return [
    el('a', { href: `#/campaigns/${campaign.id}` }, campaign.name),
    statusMark(campaign.status),
    begun
      ? el('div', { class: 'mini' }, progressBar(campaign), el('small', { class: 'soft' }, progressText(campaign)))
      : '–',
    formatNumber(campaign.progress.answers),
    scheduleText(campaign) ?? formatTime(campaign.launchedAt ?? campaign.createdAt),
  ];
}
