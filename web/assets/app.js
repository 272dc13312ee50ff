// Signed out: the sign-in page. Signed in: the shell and one view, chosen by the part of the address after '#'.
//
// The platform has a home page, the suppressed addresses and an operations page; everything else comes from the service's modules. The index.js of
// a module exports what it has, all of it optional:
//   links   [{ path, text, icon, roles }]   entries of the navigation; without `roles`, everybody sees them
//   views   [{ pattern, view }]   view({ id, session, signal }) returns nodes, or a promise of them; `id` is the number that
//           the pattern caught, and `signal` aborts when the view is left
//   styles  addresses of style sheets, loaded once
//   home    its part of the home page: see views/home.js

import { modules } from '/modules.js';
import { get, Problem, remove } from './api.js';
import { el, put } from './el.js';
import { linkPage } from './link-pages.js';
import { markCurrent, navigation } from './navigation.js';
import { announce, heading, notice } from './parts.js';
import { signInPage } from './sign-in.js';
import { homeView } from './views/home.js';

// A view that is not needed at once is loaded when it is first opened.
const VIEWS = [
  { pattern: /^\/$/, view: homeView },
  { pattern: /^\/operations$/, view: async (given) => (await import('./views/operations.js')).operationsView(given) },
  {
    pattern: /^\/suppressions$/,
    view: async (given) => (await import('./views/suppressions.js')).suppressionsView(given),
  },
  {
    pattern: /^\/settings$/,
    view: async (given) => (await import('./views/settings/security.js')).securityView(given),
  },
  {
    pattern: /^\/settings\/members$/,
    view: async (given) => (await import('./views/settings/members.js')).membersView(given),
  },
  { pattern: /^\/settings\/keys$/, view: async (given) => (await import('./views/settings/keys.js')).keysView(given) },
  {
    pattern: /^\/settings\/webhooks$/,
    view: async (given) => (await import('./views/settings/webhooks.js')).webhooksView(given),
  },
  {
    pattern: /^\/settings\/webhooks\/(\d+)$/,
    view: async (given) => (await import('./views/settings/webhook.js')).webhookView(given),
  },
  {
    pattern: /^\/settings\/audit$/,
    view: async (given) => (await import('./views/settings/audit-log.js')).auditLogView(given),
  },
  ...modules.flatMap(({ views = [] }) => views),
];
/** @type {{ path: string, text: string, icon: string, roles?: readonly string[], operator?: boolean }[]} */
const LINKS = [
  { path: '/', text: 'Home', icon: 'home' },
  ...modules.flatMap(({ links = [] }) => links),
  { path: '/suppressions', text: 'Suppressions', icon: 'block' },
  // For those who run the platform, whatever their role; the server refuses it to others.
  { path: '/operations', text: 'Operations', icon: 'pulse', operator: true },
  { path: '/settings', text: 'Settings', icon: 'key' },
];

const app = document.getElementById('app');
let left = new AbortController();
let session = null;

window.addEventListener('hashchange', showView);
window.addEventListener('signed-out', () => session && enter(null, 'Your session has ended. Please sign in again.'));
// The skip link's own address would look like a route.
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  document.getElementById('main')?.focus();
});
start();

async function start() {
  const styled = Promise.all(modules.flatMap(({ styles = [] }) => styles).map(loadStyle));
  try {
    const me = await get('/api/v1/me');
    await styled;
    enter(me);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return enter(null);
    put(app, notice(error), el('button', { type: 'button', onclick: start }, 'Try again'));
  }
}

// A page without one of its style sheets can still be read, so a failure is not a fault.
function loadStyle(href) {
  if (document.querySelector(`link[href="${href}"]`)) return;
  return new Promise((resolve) => {
    document.head.append(el('link', { rel: 'stylesheet', href, onload: resolve, onerror: resolve }));
  });
}

function enter(me, message) {
  leave();
  session = me && { ...me, mayWrite: me.user.role !== 'viewer' };
  if (session === null) return showEntry(message);
  showView();
}

function showEntry(message) {
  // `start`, because GET /me says more about the person than the answer to a sign-in.
  put(app, linkPage(pathOf(), start) ?? signInPage(start, message));
}

async function showView() {
  if (session === null) return showEntry();
  // A link in a mail is followed whoever is signed in.
  const page = linkPage(pathOf(), start);
  if (page !== undefined) return put(app, page);
  if (document.querySelector('#app > .side') === null) put(app, shell());
  leave();
  const path = pathOf();
  const { pattern, view } = VIEWS.find((one) => one.pattern.test(path)) ?? { pattern: /^/, view: missingView };
  const { signal } = left;
  markCurrent(path);
  const nodes = await contentOf(view, { id: Number(pattern.exec(path)[1]), session, signal });
  if (signal.aborted) return;
  const main = document.getElementById('main');
  put(main, nodes);
  const title = main.querySelector('h1');
  document.title = `${title?.textContent ?? 'Tardigrade'} · Tardigrade`;
  window.scrollTo(0, 0);
  title?.focus({ preventScroll: true });
  announce('');
}

// Its code may not come: the connection is down, or a new version has replaced the files.
async function contentOf(view, given) {
  try {
    return await view(given);
  } catch (error) {
    reportError(error);
    return [
      heading('This page could not be loaded'),
      el('p', null, 'Check your connection, then reload the page.'),
      el('button', { type: 'button', onclick: () => location.reload() }, 'Reload'),
    ];
  }
}

function pathOf() {
  return location.hash.slice(1) || '/';
}

// Whatever the view had begun ends with it: requests, polling, an open dialog.
function leave() {
  left.abort();
  left = new AbortController();
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
}

function shell() {
  const allowed = LINKS.filter(
    ({ roles, operator }) => (!roles || roles.includes(session.user.role)) && (!operator || session.operator),
  );
  return [
    el(
      'header',
      { class: 'side' },
      el('a', { class: 'brand', href: '#/' }, el('img', { src: '/assets/tardigrade.svg', alt: '' }), 'Tardigrade'),
      navigation(allowed),
      el(
        'div',
        { class: 'who' },
        el('strong', null, session.organisation.name),
        el('span', { class: 'soft' }, `${session.user.name}, ${session.user.role}`),
        el('button', { type: 'button', class: 'quiet', onclick: signOut }, 'Sign out'),
      ),
    ),
    el('main', { id: 'main', tabindex: '-1' }),
  ];
}

async function signOut() {
  try {
    await remove('/api/v1/sessions/current');
  } catch (error) {
    if (error.status !== 401) return document.getElementById('main').prepend(notice(error));
  }
  enter(null);
}

function missingView() {
  return [
    el('h1', { tabindex: '-1' }, 'Page not found'),
    el('p', null, 'There is no page at this address. ', el('a', { href: '#/' }, 'Go to the home page')),
  ];
}
