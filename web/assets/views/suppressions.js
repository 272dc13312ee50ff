import { get, post } from '../api.js';
import { calm } from '../calm.js';
import { el } from '../el.js';
import { formatTime } from '../format.js';
import { pagedTable } from '../pages.js';
import { confirmDialog, field, heading, openDialog, run, statusMark } from '../parts.js';

const WHY = { bounce: 'Bounced', complaint: 'Marked as spam', person: 'Added by' };

/** The addresses that are not sent mail, why, and who lifted that again. */
export function suppressionsView({ session, signal }) {
  const search = el('input', { id: 'search', type: 'search', placeholder: 'Address…', autocomplete: 'off' });
  const list = pagedTable({
    caption: 'Suppressed addresses',
    columns: ['Address', 'Why', 'Since', 'Status'],
    fetchPage: (cursor) => get('/api/v1/suppressions', { limit: 50, cursor, search: search.value.trim() }, signal),
    row: (one) => [
      one.address,
      [
        WHY[one.reason],
        one.reason === 'person' ? ` ${one.detail}` : [el('br'), el('small', { class: 'soft' }, one.detail)],
      ],
      formatTime(one.createdAt),
      one.liftedAt ? liftedText(one) : [statusMark('suppressed', 'bad'), ' ', session.mayWrite && liftButton(one)],
    ],
    empty: 'No address is suppressed. One that bounces, or whose owner complains, is listed here.',
  });
  search.addEventListener('input', calm(list.restart));

  const liftButton = (one) => {
    const ask = () =>
      confirmDialog(
        'Send to this address again?',
        one.reason === 'complaint'
          ? `The owner of ${one.address} marked a mail as spam. Only go on if they have asked you to.`
          : `Mail to ${one.address} goes out again. If it bounces once more, the address is suppressed again.`,
        'Lift',
        async () => {
          await post(`/api/v1/suppressions/${one.id}/lift`);
          await list.restart();
        },
        'Keep suppressed',
      );
    return el('button', { type: 'button', onclick: ask }, 'Lift…');
  };
  const add = el('button', { type: 'button', onclick: () => addDialog(list.restart) }, 'Add an address…');
  return [
    heading('Suppressions', session.mayWrite && add),
    el('p', { class: 'soft' }, 'No mail goes to these addresses until somebody lifts the suppression.'),
    el('div', { class: 'filters', role: 'search' }, field('Search', search)),
    list.node,
  ];
}

function liftedText({ liftedAt, liftedBy }) {
  return [statusMark('lifted'), el('br'), el('small', { class: 'soft' }, `by ${liftedBy}, ${formatTime(liftedAt)}`)];
}

function addDialog(added) {
  openDialog('Suppress an address', (close) => {
    const address = el('input', { id: 'address', type: 'email', required: true, autocomplete: 'off' });
    const fault = el('div');
    const go = el('button', { type: 'submit', class: 'primary' }, 'Suppress');
    const save = async () => {
      await post('/api/v1/suppressions', { address: address.value.trim() });
      close();
      await added();
    };
    const form = el(
      'form',
      {
        onsubmit: (event) => {
          event.preventDefault();
          run(go, fault, save);
        },
      },
      field('Email address', address, 'No mail is sent to it any more.'),
      fault,
      el('div', { class: 'actions' }, go, el('button', { type: 'button', onclick: close }, 'Cancel')),
    );
    return form;
  });
}
