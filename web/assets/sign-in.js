import { get, post } from './api.js';
import { el, put } from './el.js';
import { forgottenForm, registerForm } from './link-pages.js';
import { field, notice, run, textsOf } from './parts.js';
import { codeForm } from './second-step.js';

/** `entered()` is called after success. */
export function signInPage(entered, message) {
  const card = el('section', { class: 'card entry' });
  const signIn = () =>
    put(
      card,
      signInForm(entered),
      el('p', { class: 'soft' }, link('Forgotten your password?', forgotten)),
      otherWays(),
      el('p', { class: 'soft' }, 'New here? ', link('Register a new organisation', register)),
    );
  const forgotten = () => put(card, forgottenForm(signIn));
  const register = () => put(card, registerForm(signIn));
  signIn();
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

function signInForm(entered) {
  const fault = el('div');
  const button = el('button', { class: 'primary' }, 'Sign in');
  const submit = (event) => {
    event.preventDefault();
    const values = textsOf(event.target, 'email', 'password');
    run(button, fault, async () => {
      const answer = await post('/api/v1/sessions', values);
      if (!('ticket' in answer)) return entered();
      put(event.target.parentNode, codeForm(answer.ticket, entered));
    });
  };
  const email = input('email', { type: 'email', autocomplete: 'username', maxlength: 254 });
  const password = input('password', { type: 'password', autocomplete: 'current-password' });
  return el(
    'form',
    { onsubmit: submit },
    el('h2', null, 'Sign in'),
    field('Email address', email),
    field('Password', password),
    fault,
    el('div', { class: 'actions' }, button),
  );
}

function input(name, more) {
  return el('input', { id: `entry-${name}`, name, required: true, ...more });
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

function link(text, onclick) {
  return el('button', { type: 'button', class: 'link', onclick }, text);
}
