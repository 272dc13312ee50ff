import { get } from '/assets/api.js';
import { el } from '/assets/el.js';
import { formatNumber, formatTime } from '/assets/format.js';
import { pagedTable } from '/assets/pages.js';
import { heading } from '/assets/parts.js';
import { campaignStatus, progressBar, progressText } from './campaign-progress.js';
import { scheduleText } from './schedule-dialog.js';

export function campaignsView({ session, signal }) {
  const list = pagedTable({
    caption: 'Campaigns',
    columns: ['Campaign', 'Status', 'Emails', 'Answers', 'When'],
    fetchPage: (cursor) => get('/api/v1/campaigns', { limit: 50, cursor }, signal),
    row: campaignRow,
    empty: 'No campaigns yet. Write the first one; nothing is sent until you say so.',
  });
  const create = el('a', { class: 'button primary', href: '#/campaigns/new' }, 'New campaign');
  return [heading('Campaigns', session.mayWrite && create), list.node];
}

/** @param {Item<'/api/v1/campaigns'>} campaign */
function campaignRow(campaign) {
  const begun = campaign.progress.recipients > 0;
  return [
    el('a', { href: `#/campaigns/${campaign.id}` }, campaign.name),
    campaignStatus(campaign),
    begun
      ? el('div', { class: 'mini' }, progressBar(campaign), el('small', { class: 'soft' }, progressText(campaign)))
      : '–',
    formatNumber(campaign.progress.answers),
    scheduleText(campaign) ?? formatTime(campaign.launchedAt ?? campaign.createdAt),
  ];
}
