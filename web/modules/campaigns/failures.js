import { get } from '/assets/api.js';
import { el, put } from '/assets/el.js';
import { count } from '/assets/format.js';
import { confirmDialog, notice } from '/assets/parts.js';

/** @typedef {Item<'/api/v1/campaigns/{id}/failures'>} Failure */

const CAUSES = {
  recipient: 'the mailbox does not exist or does not accept mail',
  mail: 'the mail server refuses this email',
  unsupported: 'the mail server does not support the characters in the address',
  unconfirmed: 'never confirmed by the mail server, and most likely delivered',
  bounced: 'accepted by the mail server, but returned later',
};

/** The failed recipients by cause, and buttons to send to them again: `retry(failed)`. Returns { node, show(campaign) }. */
export function failuresPanel(mayWrite, retry, signal) {
  const node = el('div');
  let shownFor = 0;

  const show = async (campaign) => {
    const { failed } = campaign.progress;
    if (failed === shownFor) return;
    shownFor = failed;
    if (failed === 0) return void put(node);
    try {
      const { items } = await get(`/api/v1/campaigns/${campaign.id}/failures`, null, signal);
      if (shownFor === failed) put(node, panel(items));
    } catch (error) {
      if (error.name === 'AbortError') return;
      shownFor = null; // the next poll tries again
      put(node, notice(error));
    }
  };

  /** @param {Failure[]} items */
  const panel = (items) =>
    el(
      'section',
      { class: 'card' },
      el('h2', null, 'Failed'),
      el(
        'ul',
        { class: 'failures' },
        items.map((one) =>
          el(
            'li',
            null,
            el(
              'div',
              null,
              `${count(one.count, 'email')}: ${CAUSES[one.cause]}. `,
              suppressedText(one),
              one.example && el('small', null, 'For example: ', el('q', null, one.example)),
            ),
            mayWrite && one.count > one.suppressed && again('Send again…', one.count - one.suppressed, one.cause),
          ),
        ),
      ),
      mayWrite && items.length > 1 && left(items) > 0 && again('Send all again…', left(items)),
    );

  /** @param {Failure[]} items */
  const left = (items) => items.reduce((sum, { count: all, suppressed }) => sum + all - suppressed, 0);

  /** @param {string} [cause] without: whatever it was */
  const again = (text, emails, cause) => {
    const ask = () =>
      confirmDialog(
        'Send again?',
        cause === 'unconfirmed'
          ? `${count(emails, 'person', 'people')} may get this email twice.`
          : `${count(emails, 'email')} will be sent again.`,
        'Send again',
        () => retry({ cause }),
      );
    return el('button', { type: 'button', onclick: ask }, text);
  };

  return { node, show };
}

/**
 * Those that cannot be sent to again, and where that can be changed.
 * @param {Failure} failure
 */
function suppressedText({ count: all, suppressed }) {
  if (suppressed === 0) return null;
  const which =
    suppressed === all
      ? all === 1
        ? 'The address is'
        : 'The addresses are'
      : `${count(suppressed, 'address is', 'addresses are')}`;
  return [`${which} `, el('a', { href: '#/suppressions' }, 'suppressed'), '. '];
}
