// Signed out: the sign-in page. Signed in: the shell and one view, chosen by the part of the address after '#'.

import { get, Problem, remove } from './api.js';
import { el, put } from './el.js';
import { icon } from './icons.js';
import { announce, notice } from './parts.js';
import { signInPage } from './sign-in.js';
import { campaignView } from './views/campaign.js';
import { editCampaignView, newCampaignView } from './views/campaign-form.js';
import { campaignsView } from './views/campaigns.js';
import { conversationView } from './views/conversation.js';
import { conversationsView } from './views/conversations.js';
import { employeesView } from './views/employees.js';
import { homeView } from './views/home.js';
import { operationsView } from './views/operations.js';

// A view is a function of { id, session, signal } that returns a node; `signal` aborts when the view is left.
const ROUTES = [
  [/^\/$/, homeView],
  [/^\/employees$/, employeesView],
  [/^\/campaigns$/, campaignsView],
  [/^\/campaigns\/new$/, newCampaignView],
  [/^\/campaigns\/(\d+)\/edit$/, editCampaignView],
  [/^\/campaigns\/(\d+)$/, campaignView],
  [/^\/conversations$/, conversationsView],
  [/^\/conversations\/(\d+)$/, conversationView],
  [/^\/operations$/, operationsView],
];

const LINKS = [
  ['/', 'Home', 'home'],
  ['/employees', 'Employees', 'people'],
  ['/campaigns', 'Campaigns', 'mail'],
  ['/conversations', 'Conversations', 'talk'],
  ['/operations', 'Operations', 'pulse'],
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
  try {
    enter(await get('/api/me'));
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return enter(null);
    put(app, notice(error), el('button', { type: 'button', onclick: start }, 'Try again'));
  }
}

function enter(me, message) {
  leave();
  session = me && { ...me, mayWrite: me.user.role !== 'viewer' };
  if (session === null) return put(app, signInPage(enter, message));
  put(app, shell());
  showView();
}

function showView() {
  if (session === null) return;
  leave();
  const path = location.hash.slice(1) || '/';
  const [pattern, view] = ROUTES.find(([route]) => route.test(path)) ?? [/^/, missingView];
  const main = document.getElementById('main');
  put(main, view({ id: Number(pattern.exec(path)[1]), session, signal: left.signal }));
  for (const link of document.querySelectorAll('nav a')) {
    const target = link.getAttribute('href').slice(1);
    if (target === path || (target !== '/' && path.startsWith(target))) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const title = main.querySelector('h1');
  document.title = `${title?.textContent ?? 'Tardigrade'} · Tardigrade`;
  window.scrollTo(0, 0);
  title?.focus({ preventScroll: true });
  announce('');
}

// Whatever the view had begun ends with it: requests, polling, an open dialog.
function leave() {
  left.abort();
  left = new AbortController();
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
}

function shell() {
  // The operations page is for those who may act on it; the server refuses it to viewers.
  const allowed = LINKS.filter(([path]) => session.mayWrite || path !== '/operations');
  const links = allowed.map(([path, text, shape]) =>
    el('a', { href: `#${path}` }, icon(shape), el('span', null, text)),
  );
  return [
    el(
      'header',
      { class: 'side' },
      el('a', { class: 'brand', href: '#/' }, el('img', { src: '/assets/tardigrade.svg', alt: '' }), 'Tardigrade'),
      el('nav', { 'aria-label': 'Main' }, links),
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
    await remove('/api/sessions/current');
  } catch (error) {
    if (error.status !== 401) return document.getElementById('main').prepend(notice(error));
  }
  enter(null);
}

function missingView() {
  return [
    el('h1', { tabindex: '-1' }, 'Not here'),
    el('p', null, 'There is no such page. ', el('a', { href: '#/' }, 'Home')),
  ];
}
