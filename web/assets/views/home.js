// The home page, composed of the modules' parts. The `home` of a module has, all of it optional:
//   figures(summary)   tiles for the key figures; `summary` is the response of GET /api/v1/summary
//   panels({ session, signal, onSummary })   what it shows below them; `onSummary(listener)` hears each new summary
//   isBusy(summary)    true while its figures move: they are then read more often

import { modules } from '/modules.js';
import { get } from '../api.js';
import { el, put } from '../el.js';
import { heading, nextStep, notice } from '../parts.js';
import { poll } from '../poll.js';

const BUSY_EVERY_MS = 2_000;
const IDLE_EVERY_MS = 15_000;

export function homeView({ session, signal }) {
  const title = heading(`Good to see you, ${session.user.name.split(' ')[0]}`);
  if (modules.length === 0) return [title, firstModule(session)];
  const homes = modules.map(({ home }) => home).filter(Boolean);
  const listeners = [];
  const onSummary = (listener) => void listeners.push(listener);
  const panels = homes.map((home) => home.panels?.({ session, signal, onSummary }));
  return [title, keyFigures(homes, listeners, signal), panels];
}

function keyFigures(homes, listeners, signal) {
  const shown = homes.filter(({ figures }) => figures);
  if (shown.length === 0 && listeners.length === 0) return null;
  const figures = el('div', { class: 'figures', 'aria-busy': 'true', hidden: shown.length === 0 });
  const fault = el('div');
  const load = async () => {
    const summary = await get('/api/v1/summary', null, signal);
    figures.removeAttribute('aria-busy');
    put(fault);
    put(
      figures,
      shown.map((home) => home.figures(summary)),
    );
    await Promise.all(listeners.map((listener) => listener(summary)));
    return homes.some((home) => home.isBusy?.(summary)) ? BUSY_EVERY_MS : IDLE_EVERY_MS;
  };
  poll(load, IDLE_EVERY_MS, signal, (error) => put(fault, notice(error)));
  return el('div', null, fault, figures);
}

function firstModule(session) {
  return nextStep(
    'Your service is up. Now give it something to do.',
    [
      'It already has accounts, an API and this dashboard; all that is missing is a module of your own. Run ',
      el('code', null, 'npm run new:module -- invoices'),
      ' in the project: the new module gets a table, an API, a page, tests, and a place right here.',
    ],
    el('a', { class: 'button primary', href: '/docs' }, 'API reference'),
    session.operator && el('a', { class: 'button', href: '#/operations' }, 'Operations'),
  );
}
