import { get } from '/assets/api.js';
import { el, put } from '/assets/el.js';
import { nextStep } from '/assets/parts.js';
import { campaignView } from './campaign.js';
import { editCampaignView, newCampaignView } from './campaign-form.js';
import { progressRow } from './campaign-progress.js';
import { campaignsView } from './campaigns.js';

/** @typedef {Item<'/api/v1/campaigns'>} Campaign */

const NEWEST_SHOWN = 20;

export const links = [{ path: '/campaigns', text: 'Campaigns', icon: 'mail' }];
export const views = [
  { pattern: /^\/campaigns$/, view: campaignsView },
  { pattern: /^\/campaigns\/new$/, view: newCampaignView },
  { pattern: /^\/campaigns\/(\d+)\/edit$/, view: editCampaignView },
  { pattern: /^\/campaigns\/(\d+)$/, view: campaignView },
];
export const styles = ['/modules/campaigns/campaigns.css'];

export const home = {
  isBusy: ({ campaignsSending }) => campaignsSending > 0,
  panels({ session, signal, onSummary }) {
    const box = el('div', { class: 'slot' });
    onSummary(async (summary) => {
      const { items } = await get('/api/v1/campaigns', { limit: NEWEST_SHOWN }, signal);
      put(box, panel(items, summary, session));
    });
    return box;
  },
};

/** @param {Campaign[]} campaigns */
function panel(campaigns, { employees }, { mayWrite }) {
  const underWay = campaigns.filter(({ status }) => ['sending', 'paused'].includes(status));
  const isMoving = ({ status, pausedBecause }) => status === 'sending' && pausedBecause === null;
  const sending = underWay.filter(isMoving);
  const waiting = underWay.filter((campaign) => !isMoving(campaign));
  if (underWay.length > 0) return [progressCard('Sending now', sending), progressCard('Not being sent now', waiting)];
  if (!mayWrite || campaigns.length > 0 || employees === 0) return null;
  return nextStep(
    'Ready to ask?',
    'Write your first check-in. Nothing is sent until you say so.',
    el('a', { class: 'button primary', href: '#/campaigns/new' }, 'New campaign'),
  );
}

/** @param {string} title
 * @param {Campaign[]} campaigns */
function progressCard(title, campaigns) {
  return campaigns.length > 0 && el('section', { class: 'card' }, el('h2', null, title), campaigns.map(progressRow));
}
