// The pages that links in mails lead to. They need no session, and what they do needs the token that is behind the '#'.

import { post } from './api.js';
import { el, put } from './el.js';
import { decoded, isWhole, withoutTail } from './mailed-token.js';
import { field, run, slot, textsOf } from './parts.js';
import { codeForm } from './second-step.js';

const PAGES = {
  forgotten: () => forgottenForm(toStart),
  register: mailed(registerPage, 'ask for another one with “Register a new organisation” on the sign-in page.'),
  join: mailed(joinPage, 'ask the person who invited you to invite you again.'),
  reset: mailed(resetPage, 'ask for another one with “Forgotten your password?” on the sign-in page.'),
  'second-step': (ticket, entered) =>
    ticket === ''
      ? failedPage()
      : codeForm(ticket, () => {
          leaveLink();
          return entered();
        }),
  'sign-in-failed': failedPage,
};
const LINK = /^\/(forgotten|register|join|reset|second-step|sign-in-failed)(?:\/(.*))?$/s;

const FAILURES = {
  'no-account': 'There is no account with your address. Ask somebody in your organisation for an invitation.',
  unverified:
    'Your company account has not confirmed your address. Have that done there, or sign in with your password.',
  'other-identity':
    'The account with your address belongs to another company account, which had the address before. Sign in with your password, or ask somebody in your organisation to remove the account and invite you again.',
  changed: 'Your account has changed meanwhile. Sign in again.',
  busy: 'Too much is going on at the moment. Try again in a minute, or sign in with your password.',
  provider: 'Your company account could not be used. Try again in a moment, or sign in with your password.',
};

/** The page of this address, or undefined for any other. `entered()` is called when it has signed somebody in. */
export function linkPage(path, entered) {
  const [, name, rest = ''] = LINK.exec(decoded(path)) ?? [];
  if (name === undefined) return undefined;
  const card = el('section', { class: 'card entry' }, PAGES[name](withoutTail(rest), entered));
  const pitch = el(
    'section',
    { class: 'pitch' },
    el('img', { src: '/assets/tardigrade.svg', alt: '', class: 'hero' }),
    el('h1', null, 'Welcome to Tardigrade'),
  );
  return el('main', { id: 'main', class: 'welcome', tabindex: '-1' }, pitch, card);
}

/** `page(token, entered)`, unless mail programs have left nothing to open it with. */
function mailed(page, otherwise) {
  return (token, entered) => (isWhole(token) ? page(token, entered) : incompletePage(otherwise));
}

function incompletePage(otherwise) {
  const words =
    'Mail programs sometimes cut a link, or add something to it. Copy all of it from the mail into the address bar, or ';
  return said('This link is not complete', words + otherwise, 'Go to the sign-in page');
}

function said(title, words, action) {
  const way = el('div', { class: 'actions' }, el('a', { class: 'button primary', href: '#/' }, action));
  return el('div', { class: 'said' }, el('h2', null, title), el('p', null, words), way);
}

/** Asks for a mail with a link; `back` leads to the sign-in. */
export function forgottenForm(back) {
  return askForm(
    'Forgotten your password?',
    (asked) => post('/api/v1/password-resets', asked),
    back,
    (email) => [
      el(
        'p',
        null,
        `If ${email} has an account here, a link to choose a new password is on its way. The mail says how long it works.`,
      ),
    ],
  );
}

/** The same for somebody who is new. */
export function registerForm(back) {
  return askForm(
    'Register a new organisation',
    (asked) => post('/api/v1/registrations', asked),
    back,
    (email) => [
      el(
        'p',
        null,
        `A mail is on its way to ${email}. The link in it opens the page on which you name your organisation and choose your password. It works once, for three days. If the address has an account already, the mail says so.`,
      ),
      el(
        'p',
        null,
        'Nothing there after a few minutes? Look in your spam folder, and check the address for typing errors. If you ask again, the same link is mailed again.',
      ),
    ],
  );
}

/** @param {(asked: { email: string }) => Promise<unknown>} send */
function askForm(title, send, back, said) {
  const box = el('div');
  const ask = () => {
    const email = input('entry-email', 'email', { type: 'email', autocomplete: 'username', maxlength: 254 });
    const asking = form(title, 'Email me a link', [field('Email address', email)], async (node) => {
      const asked = textsOf(node, 'email');
      await send(asked);
      const again = el('button', { type: 'button', onclick: ask }, 'Ask again');
      const heading = el('h2', null, 'Check your email');
      put(
        box,
        el('div', { class: 'said' }, heading, said(asked.email), el('div', { class: 'actions' }, again)),
        toSignIn,
      );
    });
    put(box, asking, toSignIn);
  };
  const toSignIn = el(
    'p',
    { class: 'soft' },
    el('button', { type: 'button', class: 'link', onclick: back }, 'Back to sign in'),
  );
  ask();
  return box;
}

function toStart() {
  location.hash = '#/';
}

function registerPage(token, entered) {
  const page = slot(
    () => post('/api/v1/registrations/preview', { token }),
    ({ email }) => {
      const organisation = input('entry-organisation', 'organisation', {
        autocomplete: 'organization',
        maxlength: 120,
      });
      const name = input('entry-name', 'name', { autocomplete: 'name', maxlength: 120 });
      const lead = el('p', null, `You will sign in as ${email}, and be the owner.`);
      const fields = [lead, field('Organisation', organisation), field('Your name', name), passwordField(email)];
      return form('Register your organisation', 'Register', fields, async (node) => {
        const given = textsOf(node, 'organisation', 'name', 'password');
        await post('/api/v1/registrations/confirmations', { token, ...given });
        leaveLink();
        await entered();
      });
    },
  );
  return [page, el('p', { class: 'soft' }, 'Already registered? ', el('a', { href: '#/' }, 'Sign in'))];
}

function joinPage(token, entered) {
  return slot(
    () => post('/api/v1/invitations/preview', { token }),
    ({ organisation, email, role }) => {
      const name = input('entry-name', 'name', { autocomplete: 'name', maxlength: 120 });
      const lead = el('p', null, `You will sign in as ${email}, with the role ${role}.`);
      const fields = [lead, field('Your name', name), passwordField(email)];
      return form(`Join ${organisation}`, 'Join', fields, async (node) => {
        await post('/api/v1/memberships', { token, ...textsOf(node, 'name', 'password') });
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
  return form('Choose a new password', 'Set password', [passwordField()], async (node) => {
    await post('/api/v1/password-resets/confirmations', { token, ...textsOf(node, 'password') });
    put(
      node,
      el('h2', null, 'Your password is set'),
      el('p', null, 'All your sessions have ended. Sign in with your new password.'),
      el('div', { class: 'actions' }, el('a', { class: 'button primary', href: '#/' }, 'Sign in')),
    );
  });
}

function failedPage(reason) {
  return said('You are not signed in', FAILURES[reason] ?? FAILURES.provider, 'Back to sign in');
}

/** @param {(node: HTMLFormElement) => Promise<void>} act */
function form(title, action, fields, act) {
  const fault = el('div');
  const button = el('button', { class: 'primary' }, action);
  const submit = (event) => {
    event.preventDefault();
    run(button, fault, () => act(node));
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
