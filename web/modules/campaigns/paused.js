import { el } from '/assets/el.js';
import { formatAgo, formatTime } from '/assets/format.js';

/** @typedef {Item<'/api/v1/campaigns'>} Campaign */

const WHY = {
  person: 'Somebody paused this campaign.',
  sender: 'The mail server does not accept emails from our address or account at the moment.',
  server: 'The mail server cannot be reached, or does not accept emails at the moment.',
  rate: 'The mail provider says that we are sending too fast. We have slowed down.',
};

/**
 * Why nothing is being sent, in a sentence; null while all is well.
 * @param {Campaign} campaign
 */
export const pausedText = ({ pausedBecause }) => pausedBecause && WHY[pausedBecause.about];

/**
 * Why, in whose words, since when, and how it goes on; null while all is well.
 * @param {Campaign} campaign
 */
export function pausedNotice(campaign) {
  const { pausedBecause } = campaign;
  if (pausedBecause === null) return null;
  const { about, reason, since, nextTryAt } = pausedBecause;
  const next =
    nextTryAt === null
      ? 'Sending continues when somebody resumes it.'
      : `No recipient is lost, and sending resumes by itself. The next attempt is at ${formatTime(nextTryAt)}.`;
  return el(
    'div',
    { class: 'notice info', role: 'status' },
    el('strong', null, pausedText(campaign)),
    ` Sending stopped ${formatAgo(since)}. `,
    next,
    about !== 'person' && reason && el('p', { class: 'server-words' }, 'The server says: ', el('q', null, reason)),
  );
}
