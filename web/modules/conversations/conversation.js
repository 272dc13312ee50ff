import { get } from '/assets/api.js';
import { el, put } from '/assets/el.js';
import { count, formatTime } from '/assets/format.js';
import { heading, notice, statusMark } from '/assets/parts.js';
import { poll } from '/assets/poll.js';
import { moodMark } from '/modules/mood/mood-words.js';

const OPEN_EVERY_MS = 2_000;
const FINISHED_EVERY_MS = 15_000;

export function conversationView({ id, signal }) {
  const title = heading('Conversation', el('a', { class: 'button', href: '#/conversations' }, 'All conversations'));
  const about = el('div', null, el('p', { class: 'soft' }, 'Loading…'));
  const messages = el('ol', { class: 'bubbles', role: 'log', 'aria-label': 'Messages' });
  const shown = new Map(); // seq -> bubble; a message does not change, but its sentiment comes later

  const load = async () => {
    const found = await get(`/api/conversations/${id}`, null, signal);
    title.querySelector('h1').textContent = found.employee.name;
    put(about, summary(found));
    for (const message of found.messages) showMessage(message);
    return found.finishedAt ? FINISHED_EVERY_MS : OPEN_EVERY_MS;
  };
  const showMessage = (message) => {
    const known = shown.get(message.seq);
    if (known?.sentiment === message.sentiment) return;
    const node = bubble(message);
    if (known) known.node.replaceWith(node);
    else messages.append(node);
    shown.set(message.seq, { node, sentiment: message.sentiment });
  };
  poll(load, OPEN_EVERY_MS, signal, (error) => put(about, notice(error)));
  return [title, about, messages];
}

export function conversationStatus({ finishedAt }) {
  return finishedAt ? statusMark('finished', 'good') : statusMark('open', 'warn');
}

function summary(found) {
  const campaign = el('a', { href: `#/campaigns/${found.campaign.id}` }, found.campaign.name);
  return el(
    'p',
    { class: 'facts' },
    conversationStatus(found),
    el('span', null, campaign),
    el('span', null, found.team?.name),
    el('span', null, count(found.answers, 'answer')),
    moodMark(found.mood),
  );
}

function bubble({ sender, body, sentiment, at }) {
  const mine = sender === 'employee';
  const mark = mine && sentiment !== null && moodMark(sentiment);
  return el(
    'li',
    { class: mine ? 'bubble theirs' : 'bubble bot' },
    el('span', { class: 'hidden' }, mine ? 'Answer: ' : 'Question: '),
    el('p', null, body),
    el('small', { class: 'soft' }, formatTime(at), mark && [' · ', mark]),
  );
}
