import { post } from './api.js';
import { el, put } from './el.js';
import { field, notice, run } from './parts.js';

const SIGN_IN = { path: '/api/sessions', title: 'Sign in', action: 'Sign in', fields: ['email', 'password'] };
const REGISTER = {
  path: '/api/registrations',
  title: 'Register a new organisation',
  action: 'Register',
  fields: ['organisation', 'name', 'email', 'newPassword'],
};

const FIELDS = {
  organisation: ['Organisation', { name: 'organisation', autocomplete: 'organization', maxlength: 120 }],
  name: ['Your name', { name: 'name', autocomplete: 'name', maxlength: 120 }],
  email: ['Mail address', { name: 'email', type: 'email', autocomplete: 'username', maxlength: 254 }],
  password: ['Password', { name: 'password', type: 'password', autocomplete: 'current-password' }],
  newPassword: [
    'Password',
    { name: 'password', type: 'password', autocomplete: 'new-password', minlength: 10 },
    'At least 10 characters. A few words in a row are easier to keep than symbols.',
  ],
};

/** `entered(me)` is called with { user, organisation } after success. */
export function signInPage(entered, message) {
  const card = el('section', { class: 'card entry' });
  const show = (form, other) =>
    put(
      card,
      entryForm(form, entered),
      switchLine(other, () => show(other, form)),
    );
  show(SIGN_IN, REGISTER);
  if (message) card.prepend(notice(message, 'info'));
  return el('main', { id: 'main', class: 'welcome', tabindex: '-1' }, pitch(), card);
}

function pitch() {
  return el(
    'section',
    { class: 'pitch' },
    el('img', { src: '/assets/tardigrade.svg', alt: '', class: 'hero' }),
    el('h1', null, 'How is everyone, really?'),
    el(
      'p',
      { class: 'lead' },
      'Tardigrade sends each of your people a short check-in by mail. They answer in a chat of a minute or two, ',
      'and you see the mood of your teams, day by day.',
    ),
    el(
      'ol',
      { class: 'steps' },
      step('Import', ' your employees from a CSV file.'),
      step('Send', ' a campaign, now or every Monday at nine.'),
      step('Watch', ' the answers and the mood arrive, live.'),
    ),
    el(
      'p',
      { class: 'soft' },
      'Named after the animal: tiny, and very hard to kill. All of this runs in 512 MB of memory.',
    ),
  );
}

function step(verb, rest) {
  return el('li', null, el('span', null, el('strong', null, verb), rest));
}

function entryForm({ path, title, action, fields }, entered) {
  const fault = el('div');
  const button = el('button', { class: 'primary' }, action);
  const submit = (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(event.target));
    run(button, fault, async () => entered(await post(path, values)));
  };
  const controls = fields.map((name) => {
    const [label, attributes, hint] = FIELDS[name];
    return field(label, el('input', { id: `entry-${name}`, required: true, ...attributes }), hint);
  });
  return el(
    'form',
    { onsubmit: submit },
    el('h2', null, title),
    controls,
    fault,
    el('div', { class: 'actions' }, button),
  );
}

function switchLine(other, change) {
  const question = other === REGISTER ? 'New here?' : 'Already registered?';
  const button = el('button', { type: 'button', class: 'link', onclick: change }, other.title);
  return el('p', { class: 'soft' }, question, ' ', button);
}
