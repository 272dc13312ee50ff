// The API reference: reads the OpenAPI document that the server makes from its routes' own schemas, so it cannot be stale.

import { getUndocumented } from '../api.js';
import { el, put } from '../el.js';
import { count } from '../format.js';
import { notice } from '../parts.js';
import { operationCard } from './operation.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

const filter = /** @type {HTMLInputElement} */ (document.getElementById('filter'));
const [found, contents, holder] = ['found', 'contents', 'operations'].map((id) => document.getElementById(id));
let shown = []; // { card, link, words } of every operation
let groups = []; // { nodes, items }

filter.addEventListener('input', applyFilter);
window.addEventListener('hashchange', openNamed);
// The common key of reference pages; not while somebody writes.
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || writesIn(event.target)) return;
  event.preventDefault();
  filter.focus();
});
start();

/** @param {EventTarget} target */
function writesIn(target) {
  return target instanceof Element && target.matches('input, textarea, select');
}

async function start() {
  try {
    show(await getUndocumented('/docs/openapi.json'));
  } catch (error) {
    put(holder, notice(error), el('button', { type: 'button', onclick: start }, 'Try again'));
  }
}

function show(document) {
  const operations = operationsOf(document);
  const tags = [...new Set(operations.map(({ tag }) => tag))];
  groups = tags.map((tag) =>
    group(
      tag,
      operations.filter((one) => one.tag === tag),
    ),
  );
  shown = groups.flatMap(({ items }) => items);
  put(
    contents,
    groups.map(({ nodes }) => nodes.links),
  );
  put(
    holder,
    introduction(document),
    groups.map(({ nodes }) => nodes.section),
  );
  applyFilter();
  openNamed();
}

function operationsOf({ paths, security: common }) {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({
      ...item[method],
      method,
      path,
      id: `${method}${path.replace(/[{}]/g, '').replaceAll('/', '-')}`,
      tag: item[method].tags?.[0] ?? 'other',
      signedIn: (item[method].security ?? common ?? []).length > 0,
    })),
  );
}

function group(tag, operations) {
  const items = operations.map((operation) => {
    const { id, method, path, summary = '', description = '' } = operation;
    const link = el('a', { href: `#${id}`, title: `${method.toUpperCase()} ${path}` }, summary || path);
    const words = [method, path, summary, description, tag].join(' ').toLowerCase();
    return { id, card: operationCard(operation), link: el('li', null, link), words };
  });
  const title = tag.charAt(0).toUpperCase() + tag.slice(1);
  const links = el(
    'div',
    null,
    el('h2', null, title),
    el(
      'ul',
      null,
      items.map(({ link }) => link),
    ),
  );
  const section = el(
    'section',
    null,
    el('h2', { id: tag }, title),
    items.map(({ card }) => card),
  );
  return { nodes: { links, section }, items };
}

function introduction({ info, servers }) {
  return el(
    'section',
    { class: 'card intro' },
    el('p', null, marked(info.description)),
    el(
      'p',
      null,
      marked(
        'Errors are `application/problem+json` (RFC 9457) with a `code`, a `title` and a `detail` that says what to do.',
      ),
    ),
    el('h3', null, 'In a shell'),
    el('pre', { tabindex: '0' }, `API=${servers[0].url}\nTOKEN=…   # from "Sign in" below`),
  );
}

// What the descriptions use of Markdown: code in backticks.
function marked(text) {
  return text.split('`').map((part, i) => (i % 2 === 1 ? el('code', null, part) : part));
}

function applyFilter() {
  const wanted = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const { card, link, words } of shown) card.hidden = link.hidden = !wanted.every((word) => words.includes(word));
  for (const { nodes, items } of groups) {
    nodes.links.hidden = nodes.section.hidden = items.every(({ card }) => card.hidden);
  }
  const left = shown.filter(({ card }) => !card.hidden).length;
  found.textContent =
    left === shown.length ? count(left, 'operation') : `${left} of ${count(shown.length, 'operation')}`;
}

function openNamed() {
  const named = shown.find(({ id }) => `#${id}` === location.hash);
  if (!named) return;
  if (named.card.hidden) {
    filter.value = '';
    applyFilter();
  }
  named.card.open = true;
  named.card.scrollIntoView();
  named.card.firstChild.focus({ preventScroll: true });
}
