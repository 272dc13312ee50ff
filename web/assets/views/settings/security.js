import { get, remove, replace } from '../../api.js';
import { el, put } from '../../el.js';
import { formatAgo, formatTime } from '../../format.js';
import { confirmDialog, field, notice, run, slot, statusMark, table, textsOf } from '../../parts.js';
import { secondFactorCard } from './second-factor.js';
import { settingsHeading } from './tabs.js';

/** @typedef {Answer<'/api/v1/sessions', 'get'>} Sessions */

export function securityView({ session, signal }) {
  const sessions = el('div');
  const reload = () =>
    put(
      sessions,
      slot(
        () => get('/api/v1/sessions', null, signal),
        (found) => sessionList(found, reload),
      ),
    );
  reload();
  return [
    settingsHeading('Security', session),
    el('section', { class: 'card' }, el('h2', null, 'Your sessions'), sessions),
    secondFactorCard(signal),
    passwordForm(reload),
  ];
}

/** @param {Sessions} found */
function sessionList({ sessions }, reload) {
  const others = sessions.filter(({ current }) => !current);
  const end = (one) => el('button', { type: 'button', class: 'quiet', onclick: () => endOne(one, reload) }, 'End');
  const rows = sessions.map((one) => [
    el('span', { title: one.device }, deviceName(one.device)),
    one.network,
    el('span', { title: formatTime(one.lastUsedAt) }, formatAgo(one.lastUsedAt)),
    formatTime(one.createdAt),
    one.current ? statusMark('this one', 'good') : end(one),
  ]);
  const all = el('button', { type: 'button', onclick: () => endOthers(others.length, reload) }, 'End all others');
  return [
    table('Your sessions', ['Device', 'Network', 'Last used', 'Signed in', ''], rows),
    others.length > 0 && el('div', { class: 'actions' }, all),
  ];
}

/** @param {Sessions['sessions'][number]} one */
const endOne = (one, reload) =>
  confirmDialog(
    'End this session?',
    `${deviceName(one.device)}, ${one.network}, will have to sign in again.`,
    'End it',
    () => remove(`/api/v1/sessions/${one.id}`).then(reload),
  );

const endOthers = (count, reload) =>
  confirmDialog(
    'End all other sessions?',
    `${count} will have to sign in again. You stay signed in here.`,
    'End them',
    () => remove('/api/v1/sessions/others').then(reload),
  );

const BROWSERS = [
  [/Edg\//, 'Edge'],
  [/Firefox\//, 'Firefox'],
  [/Chrome\//, 'Chrome'],
  [/Safari\//, 'Safari'],
  [/curl\//, 'curl'],
];
const SYSTEMS = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS/, 'macOS'],
  [/Linux/, 'Linux'],
];

/** 'Firefox on Windows' */
function deviceName(device) {
  const name = (list) => list.find(([pattern]) => pattern.test(device))?.[1];
  const browser = name(BROWSERS) ?? (device.split(/[\s/]/)[0] || 'An unknown program');
  const system = name(SYSTEMS);
  return system ? `${browser} on ${system}` : browser;
}

function passwordForm(changed) {
  const said = el('div');
  const button = el('button', { class: 'primary' }, 'Change password');
  const input = (id, autocomplete, more) =>
    el('input', { id, name: id, type: 'password', required: true, autocomplete, ...more });
  const submit = (event) => {
    event.preventDefault();
    const form = event.target;
    run(button, said, async () => {
      await replace('/api/v1/password', textsOf(form, 'current', 'password'));
      form.reset();
      put(said, notice('Your password has been changed, and all your other sessions have ended.', 'good'));
      changed();
    });
  };
  return el(
    'form',
    { class: 'card', onsubmit: submit },
    el('h2', null, 'Change your password'),
    field('Current password', input('current', 'current-password')),
    field('New password', input('password', 'new-password', { minlength: 10 }), 'At least 10 characters.'),
    said,
    el('div', { class: 'actions' }, button),
  );
}
