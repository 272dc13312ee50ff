// The page of the check-in: puts together the client (connection.js), the messages and the form.

import { el, put } from '/assets/el.js';
import { decoded, withoutTail } from '/assets/mailed-token.js';
import { browserEnvironment } from './browser-environment.js';
import { createForm } from './chat-form.js';
import { createLog } from './chat-log.js';
import { describeState } from './chat-status.js';
import { connectConversation } from './connection.js';
import { watchForPerson } from './first-sign.js';

const REFUSALS = {
  invalid: [
    'This link is not valid',
    'Please open the link in your email again, and make sure that it is complete. If it still fails, ask the people who sent it.',
  ],
  gone: [
    'This check-in is over',
    'This link has expired, and there is nothing left for you to do. The next email brings a new link.',
  ],
  outdated: ['This page is out of date', 'Please reload it. What you have written is kept.'],
};

const TYPING_SHOWN_MS = 5_000;

const part = (id) => document.getElementById(id);
const banner = part('banner');
const token = withoutTail(decoded(location.pathname.split('/').at(-1)));
const log = createLog(/** @type {HTMLOListElement} */ (part('messages')));
const form = createForm({ part, token, send: (content) => conversation.answer(content) !== null });
const sending = new Set(); // nonces
const answered = new Set(); // seqs
/** @type {import('./link.js').State} */
let now = 'connecting';
let safe = true; // the answer under way outlives the page
let questions = 0;
let done = false;
let typingShown;
let opened = false;

const conversation = connectConversation({
  url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/chat`,
  token,
  environment: browserEnvironment(),
  on: {
    welcome,
    message,
    waiting: form.ask,
    sending: send,
    delivered,
    rejected,
    restarted,
    typing,
    state,
    fault,
    finished,
    refused,
  },
});
watchForPerson(conversation.seen);
part('answer').addEventListener('input', conversation.typing);

function welcome(frame) {
  questions = frame.questions;
  part('title').textContent = `Hello ${frame.name}`;
  document.title = `${frame.campaign} · ${frame.organisation}`;
  part('privacy').textContent =
    `${frame.campaign}. The people who run this check-in at ${frame.organisation} can read your answers with your name. ` +
    'Team charts show averages only. You can stop at any time; what you have sent is kept.';
  if (!done) form.show();
  if (!opened && !done) form.focus();
  opened = true;
  showProgress();
}

function message(given) {
  if (given.sender === 'person') stopTyping();
  if (given.sender === 'employee') answered.add(given.seq);
  log.addMessage(given);
  showProgress();
  toEnd();
}

function send(nonce, content, isSafe) {
  sending.add(nonce);
  safe = isSafe;
  log.addSending(nonce, content);
  showState();
  toEnd();
}

function delivered(nonce, seq) {
  sending.delete(nonce);
  log.markDelivered(nonce, seq);
  showState();
}

function rejected(nonce, content, { message: reason }) {
  sending.delete(nonce);
  const again = 'text' in content && !done ? () => form.writeAgain(content.text) : undefined;
  log.markRejected(nonce, content, reason, again);
  showState();
  toEnd();
}

function typing(name) {
  part('typing').textContent = `${name ?? 'Somebody'} is typing…`;
  clearTimeout(typingShown);
  typingShown = setTimeout(stopTyping, TYPING_SHOWN_MS);
  toEnd();
}

function stopTyping() {
  part('typing').textContent = '';
}

function restarted() {
  answered.clear();
  log.restart();
}

function state(next) {
  now = next;
  showState();
}

function showState() {
  const about = { opened, writing: form.isShown(), sending: sending.size > 0, safe };
  showBanner(describeState(now, about));
}

function fault(text) {
  showBanner(text);
}

function finished() {
  done = true;
  form.hide();
  showProgress();
  showState();
  const thanks = el('h2', { tabindex: '-1' }, 'Thank you');
  const text = 'Your answers have been saved. You can close this page.';
  const parts = [el('img', { src: '/assets/tardigrade.svg', alt: '' }), thanks, el('p', null, text)];
  part('main').append(el('section', { class: 'thanks' }, parts));
  thanks.focus({ preventScroll: true });
  toEnd();
}

function refused(reason) {
  const [title, advice] = REFUSALS[reason];
  const lost = log.undelivered();
  form.hide();
  showBanner(undefined);
  put(part('meter'));
  put(part('progress'));
  part('title').textContent = title;
  const parts = [el('img', { src: '/assets/tardigrade.svg', alt: '' }), el('p', null, advice)];
  if (lost.length > 0 && reason !== 'outdated')
    parts.push(
      el('p', null, 'This answer could not be delivered:'),
      lost.map((text) => el('blockquote', null, text)),
    );
  put(part('main'), el('section', { class: 'thanks', role: 'alert' }, parts));
}

function showProgress() {
  if (questions === 0) return;
  const given = answered.size;
  const current = Math.min(given + 1, questions);
  part('progress').textContent = done ? 'All questions answered' : `Question ${current} of ${questions}`;
  const steps = Array.from({ length: questions }, (_, i) => el('span', { class: done || i < given ? 'done' : '' }));
  put(part('meter'), steps);
}

function showBanner(text = '') {
  if (banner.textContent !== text) banner.textContent = text;
  banner.hidden = text === '';
}

function toEnd() {
  window.scrollTo({ top: document.body.scrollHeight });
}
