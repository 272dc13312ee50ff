import { el } from '/assets/el.js';
import { count, formatNumber } from '/assets/format.js';
import { bar, statusMark } from '/assets/parts.js';
import { pausedText } from './paused.js';

const KINDS = { scheduled: 'warn', sending: 'warn', held: 'bad', paused: 'bad', done: 'good' };

/** How a campaign is, in one word. */
export function campaignStatus({ status, pausedBecause }) {
  const word = status === 'sending' && pausedBecause ? 'held' : status;
  return statusMark(word, KINDS[word]);
}

/** The bar of a campaign: sent, skipped and failed as parts of all recipients. */
export function progressBar({ progress }) {
  const share = (n) => (progress.recipients === 0 ? 0 : n / progress.recipients);
  const parts = [
    { share: share(progress.sent), kind: 'good' },
    { share: share(progress.skipped), kind: 'pale' },
    { share: share(progress.failed), kind: 'bad' },
  ];
  return bar('Emails sent', parts, progressText({ progress }));
}

export function progressText({ progress }) {
  const done = progress.sent + progress.skipped + progress.failed;
  const faults = progress.failed > 0 ? `, ${formatNumber(progress.failed)} failed` : '';
  return `${formatNumber(done)} of ${count(progress.recipients, 'email')}${faults}`;
}

/** One campaign with its bar, linked to its page. */
export function progressRow(campaign) {
  return el(
    'div',
    { class: 'progress-row' },
    el('a', { href: `#/campaigns/${campaign.id}` }, campaign.name),
    el('span', { class: 'soft' }, progressText(campaign)),
    progressBar(campaign),
    campaign.pausedBecause && el('small', { class: 'why' }, pausedText(campaign)),
  );
}
