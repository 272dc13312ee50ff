import { get, post } from '/assets/api.js';
import { el, put } from '/assets/el.js';
import { count } from '/assets/format.js';
import { confirmDialog, notice } from '/assets/parts.js';

const CAUSES = {
  recipient: 'the mailbox does not exist or does not take them',
  mail: 'the mail server refuses this email',
  unsupported: 'the mail server cannot send to an address with such letters',
  unconfirmed: 'the mail server never confirmed them; they have most likely arrived',
  bounced: 'the mail server took them, and they were returned later',
};

/** The failed recipients by cause, and buttons to send to them again. Returns { node, show(campaign) }. */
export function failuresPanel(mayWrite, retried, signal) {
  const node = el('div');
  let shownFor = 0;

  const show = async (campaign) => {
    const { failed } = campaign.progress;
    if (failed === shownFor) return;
    shownFor = failed;
    if (failed === 0) return void put(node);
    try {
      const { items } = await get(`/api/v1/campaigns/${campaign.id}/failures`, null, signal);
      if (shownFor === failed) put(node, panel(campaign, items));
    } catch (error) {
      if (error.name !== 'AbortError') put(node, notice(error));
    }
  };

  const panel = (campaign, items) =>
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
            el('span', null, `${count(one.count, 'email')}: ${CAUSES[one.cause]}. `, suppressedText(one)),
            one.example && el('small', { class: 'soft' }, 'For example: ', el('q', null, one.example)),
            mayWrite && one.count > one.suppressed && again('Send again…', campaign, one.count - one.suppressed, one),
          ),
        ),
      ),
      mayWrite && items.length > 1 && left(items) > 0 && again('Send all again…', campaign, left(items), {}),
    );

  const left = (items) => items.reduce((sum, { count: all, suppressed }) => sum + all - suppressed, 0);

  const again = (text, campaign, emails, { cause }) => {
    const ask = () =>
      confirmDialog(
        'Send again?',
        cause === 'unconfirmed'
          ? `${count(emails, 'person', 'people')} may get this email twice.`
          : `${count(emails, 'email')} will be sent again.`,
        'Send again',
        async () => retried(await post(`/api/v1/campaigns/${campaign.id}/retry`, { cause })),
      );
    return el('button', { type: 'button', onclick: ask }, text);
  };

  return { node, show };
}

/** Who cannot be sent to again, and where that can be changed. */
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
