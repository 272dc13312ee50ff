// Sends a GET with the browser's own session, if there is one. Only reads: nothing here can change anything.

import { queryString } from '../api.js';
import { el, put } from '../el.js';
import { field, notice, run } from '../parts.js';

const SHOWN_CHARS_MAX = 20_000;

export function tryPanel({ id, path, parameters = [] }) {
  const answer = el('div', { 'aria-live': 'polite' });
  const button = el('button', { class: 'primary' }, 'Send');
  const submit = (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(event.target));
    run(button, answer, async () => put(answer, await send(path, parameters, values)));
  };
  const inputs = parameters.map(({ name, required, schema }) =>
    field(name, el('input', { id: `${id}-${name}`, name, required, placeholder: schema.default ?? '' })),
  );
  return el(
    'details',
    { class: 'try' },
    el('summary', null, 'Try it'),
    el('p', { class: 'soft' }, 'Uses the session of this browser: sign in on the dashboard first.'),
    el('form', { class: 'filters', onsubmit: submit }, inputs, button),
    answer,
  );
}

async function send(path, parameters, values) {
  const address = path.replace(/\{(.+?)\}/g, (_, name) => encodeURIComponent(values[name]));
  const query = parameters.filter((one) => one.in === 'query').map(({ name }) => [name, values[name]]);
  const begun = performance.now();
  const reply = await fetch(address + queryString(Object.fromEntries(query)));
  const text = await firstChars(reply);
  const ms = Math.round(performance.now() - begun);
  if (reply.status === 401) return notice('You are not signed in. Sign in on the dashboard, then send again.');
  return [
    el('p', null, el('strong', null, `${reply.status} `), `${reply.statusText} after ${ms} ms`),
    el('pre', { tabindex: '0' }, text),
  ];
}

// An export may be long and is streamed: what is not shown is not fetched.
async function firstChars(reply) {
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return pretty(text);
    text += value;
    if (text.length > SHOWN_CHARS_MAX) {
      await reader.cancel();
      return `${text.slice(0, SHOWN_CHARS_MAX)}\n… and more`;
    }
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
