import { get } from '/assets/api.js';
import { el, put } from '/assets/el.js';
import { count, formatTime } from '/assets/format.js';
import { heading, notice, statusMark } from '/assets/parts.js';
import { poll } from '/assets/poll.js';
import { moodMark } from '/modules/mood/mood-words.js';
import { watchLive } from './live.js';
import { stepInForm } from './step-in.js';

/** @typedef {Answer<'/api/v1/conversations/{id}', 'get'>} Conversation */

const OPEN_EVERY_MS = 2_000;
const FINISHED_EVERY_MS = 15_000;
const TYPING_SHOWN_MS = 4_000;

export function conversationView({ id, signal }) {
  const title = heading('Conversation', el('a', { class: 'button', href: '#/conversations' }, 'All conversations'));
  const about = el('div', null, el('p', { class: 'soft' }, 'Loading…'));
  const messages = el('ol', { class: 'bubbles', role: 'log', 'aria-label': 'Messages' });
  const shown = new Map(); // seq -> bubble; a message does not change, but its sentiment comes later
  const presence = el('p', { class: 'soft presence', role: 'status' });
  const writing = el('div');
  let employee = 'The employee';
  let isThere; // once that is known
  let typedAt = 0;

  const load = async () => {
    const found = await get(`/api/v1/conversations/${id}`, null, signal);
    employee = found.employee.name;
    showPresence();
    title.querySelector('h1').textContent = employee;
    put(about, summary(found));
    for (const message of found.messages) showMessage(message);
    return found.finishedAt ? FINISHED_EVERY_MS : OPEN_EVERY_MS;
  };
  const showMessage = (message) => {
    const known = shown.get(message.seq);
    if (known !== undefined && (message.sentiment === undefined || known.sentiment === message.sentiment)) return;
    const node = bubble(message);
    if (known) known.node.replaceWith(node);
    else messages.insertBefore(node, [...messages.children].find((other) => other.dataset.seq > message.seq) ?? null);
    node.dataset.seq = message.seq;
    shown.set(message.seq, { node, sentiment: message.sentiment });
  };
  const showPresence = () => {
    const isTyping = Date.now() - typedAt < TYPING_SHOWN_MS;
    presence.textContent = isTyping
      ? `${employee} is typing…`
      : isThere
        ? `${employee} has the check-in open now.`
        : isThere === false
          ? 'Nobody has the check-in open now.'
          : '';
  };
  poll(load, OPEN_EVERY_MS, signal, (error) => put(about, notice(error)));
  const live = watchLive(id, signal, {
    message: showMessage,
    state: (state) => presence.classList.toggle('waiting', state === 'waiting'),
    present(now) {
      isThere = now;
      showPresence();
    },
    typing() {
      typedAt = Date.now();
      showPresence();
      setTimeout(showPresence, TYPING_SHOWN_MS);
    },
    canSay(can) {
      if (!can) put(writing);
      else if (writing.childElementCount === 0) put(writing, stepInForm(live));
    },
    refused: (text) => put(about, notice(new Error(text))),
  });
  return [title, about, messages, presence, writing];
}

/** @param {Pick<Conversation, 'finishedAt'>} conversation */
export function conversationStatus({ finishedAt }) {
  return finishedAt ? statusMark('finished', 'good') : statusMark('open', 'warn');
}

/** @param {Conversation} found */
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

/** @param {Conversation['messages'][number]} message */
function bubble({ sender, author, body, sentiment = null, at }) {
  const mark = sender === 'employee' && sentiment !== null && moodMark(sentiment);
  const label = { employee: 'Answer: ', person: `${author}: `, bot: 'Question: ' }[sender];
  return el(
    'li',
    { class: `bubble ${sender === 'employee' ? 'theirs' : sender}` },
    el('span', { class: 'hidden' }, label),
    el('p', null, body),
    el('small', { class: 'soft' }, sender === 'person' && `${author} · `, formatTime(at), mark && [' · ', mark]),
  );
}
