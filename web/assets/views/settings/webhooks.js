import { change, get, post } from '../../api.js';
import { el, put } from '../../el.js';
import { formatAgo, formatTime } from '../../format.js';
import { field, openDialog, run, secretShown, showStep, slot, statusMark, table, textsOf } from '../../parts.js';
import { settingsHeading } from './tabs.js';

export const DISABLED_BECAUSE = {
  person: 'Somebody has disabled it.',
  gone: 'Its server answered 410: it wants no more events.',
  failing: 'It had failed for five days without one success.',
  backlog: 'Too many deliveries were waiting for it.',
};

/** The systems that hear of what happens here. */
export function webhooksView({ session, signal }) {
  const list = el('div');
  const reload = () =>
    put(
      list,
      slot(
        () => get('/api/v1/webhooks', null, signal),
        ({ items }) => webhookList(items, reload),
      ),
    );
  reload();
  const create = el(
    'button',
    { type: 'button', class: 'primary', onclick: () => createDialog(reload) },
    'Create a webhook',
  );
  return [
    settingsHeading('Webhooks', session, create),
    el(
      'p',
      { class: 'soft' },
      'Events are sent to these addresses as signed POST requests, and again for about a day until one is answered with 2xx.',
    ),
    list,
  ];
}

/** How it is, in one word. */
export function webhookStatus({ disabledAt, failingSince }) {
  if (disabledAt) return statusMark('disabled', 'bad');
  return failingSince ? statusMark('failing', 'warn') : statusMark('enabled', 'good');
}

/** @param {Item<'/api/v1/webhooks'>[]} items */
function webhookList(items, reload) {
  if (items.length === 0)
    return el('p', { class: 'empty' }, 'No webhooks yet. Create one to tell another system what happens here.');
  const rows = items.map((one) => [
    [
      el('a', { class: 'address', href: `#/settings/webhooks/${one.id}` }, one.url),
      one.description && [el('br'), el('small', { class: 'soft' }, one.description)],
    ],
    one.eventTypes.map((type) => [el('code', null, type), ' ']),
    [
      webhookStatus(one),
      el('br'),
      el('small', { class: 'soft' }, one.disabledAt ? DISABLED_BECAUSE[one.disabledBecause] : failingText(one)),
    ],
    el('button', { type: 'button', class: 'quiet', onclick: () => editDialog(one, reload) }, 'Edit'),
  ]);
  return table('Webhooks', ['Address', 'Events', 'Status', ''], rows);
}

function failingText({ failingSince, createdAt }) {
  return failingSince ? `since ${formatTime(failingSince)}` : `created ${formatAgo(createdAt)}`;
}

function createDialog(created) {
  const dialog = openDialog('Create a webhook', (close) =>
    webhookForm({ url: '', description: '', eventTypes: [] }, 'Create', close, async (given) => {
      const made = await post('/api/v1/webhooks', given);
      created();
      showStep(dialog, 'Your new webhook', secretOf(made, close));
    }),
  );
}

function editDialog(webhook, changed) {
  openDialog('Edit the webhook', (close) =>
    webhookForm(webhook, 'Save', close, async (given) => {
      await change(`/api/v1/webhooks/${webhook.id}`, given, webhook.version);
      close();
      changed();
    }),
  );
}

/** The secret that was just made, which is not shown again. */
export function secretOf({ secret }, close) {
  return secretShown(
    secret,
    'The secret',
    'Its server verifies with this secret that an event comes from here.',
    close,
  );
}

/**
 * @typedef {{ url: string, description: string, eventTypes: string[] }} Given
 * @param {Given} webhook as the form begins with it
 * @param {string} action
 * @param {() => void} close
 * @param {(given: Given) => Promise<void>} save
 */
function webhookForm({ url, description, eventTypes }, action, close, save) {
  const fault = el('div');
  const button = el('button', { class: 'primary' }, action);
  const submit = (event) => {
    event.preventDefault();
    const eventTypes = new FormData(event.target).getAll('eventTypes').map(String);
    run(button, fault, () => save({ ...textsOf(event.target, 'url', 'description'), eventTypes }));
  };
  const address = el('input', {
    id: 'url',
    name: 'url',
    type: 'url',
    required: true,
    maxlength: 1000,
    value: url,
    placeholder: 'https://hooks.example.com/in',
  });
  return el(
    'form',
    { onsubmit: submit },
    field('Address', address, 'It begins with https:// and is reachable from the Internet.'),
    field('Description', el('input', { id: 'description', name: 'description', maxlength: 120, value: description })),
    slot(
      () => get('/api/v1/webhook-event-types'),
      ({ types }) => typeChoice(types, eventTypes),
    ),
    fault,
    el('div', { class: 'actions' }, button, el('button', { type: 'button', onclick: close }, 'Cancel')),
  );
}

function typeChoice(types, chosen) {
  return el(
    'fieldset',
    { class: 'field' },
    el('legend', null, 'Events'),
    types.map(({ type, means }) =>
      el(
        'label',
        { class: 'check' },
        el('input', { type: 'checkbox', name: 'eventTypes', value: type, checked: chosen.includes(type) }),
        el('span', null, el('code', null, type), el('br'), el('small', { class: 'soft' }, means)),
      ),
    ),
  );
}
