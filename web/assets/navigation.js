// The links to the views. At the bottom of a phone there is room for a few of them; the others open from “More”.

import { el } from './el.js';
import { icon } from './icons.js';

/** Beside “More”. Five names are what 320 pixels hold. */
const LINKS_BESIDE_MORE_MAX = 4;

/** `links`: [{ path, text, icon }] in the order in which they are shown. */
export function navigation(links) {
  const nodes = links.map(({ path, text, icon: shape }) =>
    el('a', { href: `#${path}` }, icon(shape), el('span', null, text)),
  );
  const fit = nodes.length > LINKS_BESIDE_MORE_MAX + 1 ? LINKS_BESIDE_MORE_MAX : nodes.length;
  return el('nav', { 'aria-label': 'Main' }, nodes.slice(0, fit), fit < nodes.length && moreOf(nodes.slice(fit)));
}

// A popover: the browser closes it on Escape and on a tap beside it, and gives the focus back. Wide screens show it as a
// part of the list, see dashboard.css.
function moreOf(nodes) {
  const rest = el('div', { id: 'rest', popover: true }, nodes);
  rest.addEventListener('click', closeRest);
  const more = el(
    'button',
    { type: 'button', class: 'more', popovertarget: 'rest' },
    icon('more'),
    el('span', null, 'More'),
  );
  return [more, rest];
}

// A screen that turns may have room for the whole list.
window.addEventListener('resize', closeRest);

function closeRest() {
  document.getElementById('rest')?.hidePopover();
}

/** Marks the entry of the view at `path`. */
export function markCurrent(path) {
  for (const link of document.querySelectorAll('nav a')) {
    const target = link.getAttribute('href').slice(1);
    if (target === path || path.startsWith(`${target}/`)) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}
