// The pages that links in mails lead to. They need no session, and what they do needs the token that is behind the '#'.

import { post } from './api.js';
import { el, put } from './el.js';
import { field, notice, run, slot } from './parts.js';
import { codeForm } from './second-step.js';

const PAGES = {
  join: joinPage,
  reset: resetPage,
  verify: verifyPage,
  'second-step': (ticket, entered) =>
    codeForm(ticket, () => {
      leaveLink();
      return entered();
    }),
  'sign-in-failed': failedPage,
};
const LINK = /^\/(join|reset|verify|second-step|sign-in-failed)\/([\w.-]+)$/;

const FAILURES = {
  'no-account': 'There is no account with your address. Ask somebody in your organisation for an invitation.',
  unverified:
    'Your address has to be confirmed both here and in your company account. Sign in with your password, and confirm it in Settings.',
  provider: 'Your company account could not be used. Try again in a moment, or sign in with your password.',
};

/** The page of this address, or undefined for any other. `entered()` is called when it has signed somebody in. */
export function linkPage(path, entered) {
  const [, name, token] = LINK.exec(path) ?? [];
  if (name === undefined) return undefined;
  const card = el('section', { class: 'card entry' }, PAGES[name](token, entered));
  const pitch = el(
    'section',
    { class: 'pitch' },
    el('img', { src: '/assets/tardigrade.svg', alt: '', class: 'hero' }),
    el('h1', null, 'Welcome to Tardigrade'),
  );
  return el('main', { id: 'main', class: 'welcome', tabindex: '-1' }, pitch, card);
}

/** Asks for a mail with a link; `back` leads to the sign-in. */
export function forgottenForm(back) {
  const email = input('entry-email', 'email', { type: 'email', autocomplete: 'username', maxlength: 254 });
  return form('Forgotten your password?', 'Email me a link', [field('Email address', email)], async (values, box) => {
    await post('/api/v1/password-resets', values);
    put(
      box,
      el('h2', null, 'Check your email'),
      el(
        'p',
        null,
        `If ${values.email} has an account here, a link to choose a new password is on its way. It works for an hour.`,
      ),
      el('div', { class: 'actions' }, el('button', { type: 'button', onclick: back }, 'Back to sign in')),
    );
  });
}

function joinPage(token, entered) {
  return slot(
    () => post('/api/v1/invitations/preview', { token }),
    ({ organisation, email, role }) => {
      const name = input('entry-name', 'name', { autocomplete: 'name', maxlength: 120 });
      const lead = el('p', null, `You will sign in as ${email}, with the role ${role}.`);
      const fields = [lead, field('Your name', name), passwordField(email)];
      return form(`Join ${organisation}`, 'Join', fields, async (values) => {
        await post('/api/v1/memberships', { token, ...values });
        leaveLink();
        await entered();
      });
    },
  );
}

/** To the home page, without an event: the dashboard is shown once it is known who has signed in. */
function leaveLink() {
  history.replaceState(null, '', '#/');
}

function resetPage(token) {
  return form('Choose a new password', 'Set password', [passwordField()], async (values, box) => {
    await post('/api/v1/password-resets/confirmations', { token, ...values });
    put(
      box,
      el('h2', null, 'Your password is set'),
      el('p', null, 'All your sessions have ended. Sign in with your new password.'),
      el('div', { class: 'actions' }, el('a', { class: 'button primary', href: '#/' }, 'Sign in')),
    );
  });
}

// Not by itself when the page is opened: mail scanners follow every link, and some of them run scripts.
function verifyPage(token) {
  return form('Confirm your email address', 'Confirm', [], async (_values, box) => {
    await post('/api/v1/email-verifications/confirmations', { token });
    put(
      box,
      notice('Your email address is confirmed.', 'good'),
      el('div', { class: 'actions' }, el('a', { class: 'button primary', href: '#/' }, 'Go to the dashboard')),
    );
  });
}

function failedPage(reason) {
  return [
    el('h2', null, 'You are not signed in'),
    el('p', null, FAILURES[reason] ?? FAILURES.provider),
    el('div', { class: 'actions' }, el('a', { class: 'button primary', href: '#/' }, 'Back to sign in')),
  ];
}

function form(title, action, fields, act) {
  const fault = el('div');
  const button = el('button', { class: 'primary' }, action);
  const submit = (event) => {
    event.preventDefault();
    run(button, fault, () => act(Object.fromEntries(new FormData(event.target)), node));
  };
  const node = el(
    'form',
    { onsubmit: submit },
    el('h2', null, title),
    fields,
    fault,
    el('div', { class: 'actions' }, button),
  );
  return node;
}

function passwordField(username = '') {
  const hint = 'At least 10 characters. A few words in a row are easier to remember than symbols.';
  const password = input('entry-password', 'password', {
    type: 'password',
    autocomplete: 'new-password',
    minlength: 10,
  });
  // For password managers: they keep passwords by user name.
  const user = username && el('input', { type: 'text', autocomplete: 'username', value: username, hidden: true });
  return [user, field('New password', password, hint)];
}

function input(id, name, more) {
  return el('input', { id, name, required: true, ...more });
}
