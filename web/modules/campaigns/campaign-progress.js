import { el } from '/assets/el.js';
import { count, formatNumber } from '/assets/format.js';
import { bar, statusMark } from '/assets/parts.js';
import { pausedText } from './paused.js';

/** @typedef {Item<'/api/v1/campaigns'>} Campaign */

const KINDS = { scheduled: 'warn', sending: 'warn', held: 'bad', paused: 'bad', done: 'good' };

/**
 * How a campaign is, in one word.
 * @param {Campaign} campaign
 */
export function campaignStatus({ status, pausedBecause }) {
  const word = status === 'sending' && pausedBecause ? 'held' : status;
  return statusMark(word, KINDS[word]);
}

/**
 * The bar of a campaign: sent, skipped and failed as parts of all recipients.
 * @param {Pick<Campaign, 'progress'>} campaign
 */
export function progressBar({ progress }) {
  const share = (n) => (progress.recipients === 0 ? 0 : n / progress.recipients);
  const parts = [
    { share: share(progress.sent), kind: 'good' },
    { share: share(progress.skipped), kind: 'pale' },
    { share: share(progress.failed), kind: 'bad' },
  ];
  return bar('Emails sent', parts, progressText({ progress }));
}

/** @param {Pick<Campaign, 'progress'>} campaign */
export function progressText({ progress }) {
  const done = progress.sent + progress.skipped + progress.failed;
  const faults = progress.failed > 0 ? `, ${formatNumber(progress.failed)} failed` : '';
  return `${formatNumber(done)} of ${count(progress.recipients, 'email')}${faults}`;
}

/**
 * How fast it is sent and how long it takes from here; empty unless it is being sent.
 * @param {Pick<Campaign, 'progress'>} campaign
 */
export function paceText({ progress: { perSecond, secondsLeft } }) {
  if (perSecond === null) return '';
  const rate = perSecond < 1 ? `${count(perSecond * 60, 'email')} a minute` : `${count(perSecond, 'email')} a second`;
  return `${rate}, about ${durationText(secondsLeft)} left`;
}

function durationText(seconds) {
  if (seconds < 90) return count(Math.max(1, seconds), 'second');
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? count(minutes, 'minute') : count(Math.round(minutes / 60), 'hour');
}

/**
 * One campaign with its bar, linked to its page.
 * @param {Campaign} campaign
 */
export function progressRow(campaign) {
  return el(
    'div',
    { class: 'progress-row' },
    el('a', { href: `#/campaigns/${campaign.id}` }, campaign.name),
    el('span', { class: 'soft' }, [progressText(campaign), paceText(campaign)].filter(Boolean).join(', ')),
    progressBar(campaign),
    campaign.pausedBecause && el('small', { class: 'why' }, pausedText(campaign)),
  );
}
