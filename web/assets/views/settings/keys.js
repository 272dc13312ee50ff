import { get, post, remove } from '../../api.js';
import { el } from '../../el.js';
import { formatAgo, formatTime } from '../../format.js';
import { pagedTable } from '../../pages.js';
import { confirmDialog, field, openDialog, run, secretShown, showStep, statusMark } from '../../parts.js';
import { settingsHeading } from './tabs.js';

const LIFETIMES = [
  ['90', '90 days'],
  ['365', 'A year'],
  ['', 'Until it is revoked'],
];

export function keysView({ session, signal }) {
  const list = pagedTable({
    caption: 'API keys',
    columns: ['Name', 'Key', 'Scope', 'Owner', 'Last used', 'Expires', ''],
    fetchPage: (cursor) => get('/api/v1/api-keys', { limit: 50, cursor }, signal),
    row: (key) => keyRow(key, () => list.restart()),
    empty: 'No keys yet. Programs send one with each request, as “Authorization: Bearer …”.',
  });
  const create = el(
    'button',
    { type: 'button', class: 'primary', onclick: () => createDialog(() => list.restart()) },
    'Create a key',
  );
  return [
    settingsHeading('API keys', session, create),
    el(
      'p',
      { class: 'soft' },
      'A key can do what its owner can, within its scope. ',
      el('a', { href: '/docs' }, 'See the API reference'),
    ),
    list.node,
  ];
}

/** @param {Item<'/api/v1/api-keys'>} key */
function keyRow(key, changed) {
  const expired = key.expiresAt && Date.parse(key.expiresAt) < Date.now() && statusMark('expired', 'warn');
  const revoke = () =>
    confirmDialog('Revoke this key?', `Programs that use ${key.name} will get a 401 from now on.`, 'Revoke', () =>
      remove(`/api/v1/api-keys/${key.id}`).then(changed),
    );
  return [
    key.name,
    el('code', null, `${key.prefix}…`),
    key.scope,
    key.owner,
    key.lastUsedAt ? formatAgo(key.lastUsedAt) : 'never',
    [key.expiresAt ? formatTime(key.expiresAt) : '–', ' ', expired],
    el('button', { type: 'button', class: 'quiet', onclick: revoke }, 'Revoke'),
  ];
}

function createDialog(created) {
  const dialog = openDialog('Create an API key', (close) => {
    const fault = el('div');
    const button = el('button', { class: 'primary' }, 'Create');
    const option =
      (chosen) =>
      ([value, text]) =>
        el('option', { value, selected: value === chosen }, text);
    const submit = (event) => {
      event.preventDefault();
      const lifetime = days.value === '' ? {} : { expiresInDays: Number(days.value) };
      run(button, fault, async () => {
        const made = await post('/api/v1/api-keys', { name: name.value, scope: scope.value, ...lifetime });
        created();
        showStep(dialog, 'Your new key', secretShown(made.key, 'The key', '', close));
      });
    };
    const scopes = [
      ['read', 'read: reads, and changes nothing'],
      ['write', 'write: reads and changes'],
    ];
    const name = el('input', { id: 'name', name: 'name', required: true, maxlength: 120 });
    const scope = el('select', { id: 'scope', name: 'scope' }, scopes.map(option('read')));
    const days = el('select', { id: 'days', name: 'days' }, LIFETIMES.map(option('90')));
    return el(
      'form',
      { onsubmit: submit },
      field('Name', name, 'What will use it?'),
      field('Scope', scope),
      field('Valid for', days),
      fault,
      el('div', { class: 'actions' }, button, el('button', { type: 'button', onclick: close }, 'Cancel')),
    );
  });
}
