import { get, post } from './api.js';
import { el, put } from './el.js';
import { forgottenForm } from './link-pages.js';
import { field, notice, run } from './parts.js';
import { codeForm } from './second-step.js';

const SIGN_IN = { path: '/api/v1/sessions', title: 'Sign in', action: 'Sign in', fields: ['email', 'password'] };
const REGISTER = {
  path: '/api/v1/registrations',
  title: 'Register a new organisation',
  action: 'Register',
  fields: ['organisation', 'name', 'email', 'newPassword'],
};

const FIELDS = {
  organisation: ['Organisation', { name: 'organisation', autocomplete: 'organization', maxlength: 120 }],
  name: ['Your name', { name: 'name', autocomplete: 'name', maxlength: 120 }],
  email: ['Email address', { name: 'email', type: 'email', autocomplete: 'username', maxlength: 254 }],
  password: ['Password', { name: 'password', type: 'password', autocomplete: 'current-password' }],
  newPassword: [
    'Password',
    { name: 'password', type: 'password', autocomplete: 'new-password', minlength: 10 },
    'At least 10 characters. A few words in a row are easier to remember than symbols.',
  ],
};

/** `entered()` is called after success. */
export function signInPage(entered, message) {
  const card = el('section', { class: 'card entry' });
  const show = (form, other) =>
    put(
      card,
      entryForm(form, entered),
      form === SIGN_IN && el('p', { class: 'soft' }, link('Forgotten your password?', forgotten)),
      form === SIGN_IN && otherWays(),
      switchLine(other, () => show(other, form)),
    );
  const forgotten = () =>
    put(
      card,
      forgottenForm(() => show(SIGN_IN, REGISTER)),
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
    el('h1', null, 'Welcome to Tardigrade'),
    el(
      'p',
      { class: 'lead' },
      'Sign in to see where things stand today, or register your organisation and start with an empty dashboard.',
    ),
    el(
      'ol',
      { class: 'steps' },
      step('Register', ' your organisation and become its owner.'),
      step('Work', ' on the dashboard, where key figures update live.'),
      step('Automate', [' the rest: ', el('a', { href: '/docs' }, 'everything here is also an API'), '.']),
    ),
    el('p', { class: 'soft' }, 'Tiny, and very hard to kill: all of this runs in 512 MB of memory.'),
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
    run(button, fault, async () => {
      const answer = await post(path, values);
      if (answer.ticket === undefined || answer.user) return entered();
      put(event.target.parentNode, codeForm(answer.ticket, entered));
    });
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

function otherWays() {
  const box = el('div');
  const link = () => el('a', { class: 'button', href: '/oidc/start' }, 'Sign in with your company account');
  get('/api/v1/sign-in-options').then(
    ({ oidc }) => oidc && put(box, el('div', { class: 'actions' }, link())),
    () => {}, // the password works without it
  );
  return box;
}

function switchLine(other, change) {
  const lead = other === REGISTER ? 'New here?' : 'Already registered?';
  return el('p', { class: 'soft' }, lead, ' ', link(other.title, change));
}

function link(text, onclick) {
  return el('button', { type: 'button', class: 'link', onclick }, text);
}
