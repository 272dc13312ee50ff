// The page of the check-in: draws what `connection.js` reports.

import { el, put } from '/assets/el.js';
import { formatClock } from '/assets/format.js';
import { connectConversation } from './connection.js';

const REFUSALS = {
  invalid: [
    'This link is not valid',
    'Please open the link in your email again, and make sure that it is complete. If it still fails, ask the people who sent it.',
  ],
  gone: [
    'This check-in is over',
    'This link has expired, and there is nothing left for you to do. The next email brings a new link.',
  ],
};

const part = (id) => document.getElementById(id);
const [form, textarea, messages, banner] = [part('form'), part('answer'), part('messages'), part('banner')];
const bubbles = new Map(); // nonce -> the bubble of an answer under way
let questions = 0;
let answered = 0;
let done = false;
let opened = false;

const token = decodeURIComponent(location.pathname.split('/').at(-1));
const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/chat`;
const conversation = connectConversation({
  url,
  token,
  on: { welcome, message, delivered, rejected, state, fault, finished, refused },
});
for (const [nonce, body] of conversation.unsent()) showSending(nonce, body); // written before a reload

form.addEventListener('submit', (event) => {
  event.preventDefault();
  submit();
});
textarea.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
});
textarea.addEventListener('input', growTextarea);

function submit() {
  const body = textarea.value.trim();
  if (body === '') return;
  const nonce = conversation.answer(body);
  if (nonce === null) return fault('Your last answers are still being sent. They are safe; please wait a moment.');
  textarea.value = '';
  growTextarea();
  showSending(nonce, body);
}

function welcome(frame) {
  questions = frame.questions;
  part('title').textContent = `Hello ${frame.name}`;
  document.title = `${frame.campaign} · ${frame.organisation}`;
  part('privacy').textContent =
    `${frame.campaign}. The people who run this check-in at ${frame.organisation} can read your answers with your name. ` +
    'Team charts show averages only. You can stop at any time; what you have sent is kept.';
  form.hidden = done;
  if (!opened && !done) textarea.focus({ preventScroll: true });
  opened = true;
  showProgress();
}

function message({ sender, body, at, nonce }) {
  if (sender === 'employee') answered++;
  showProgress();
  if (nonce && bubbles.has(nonce)) return delivered(nonce, at);
  addBubble(sender, body, formatClock(at));
}

function delivered(nonce, at) {
  const bubble = bubbles.get(nonce);
  if (!bubble || (!at && !bubble.classList.contains('sending'))) return;
  bubble.classList.remove('sending');
  bubble.lastChild.textContent = at ? `delivered, ${formatClock(at)}` : 'delivered';
}

function rejected(nonce, text) {
  const bubble = bubbles.get(nonce);
  if (!bubble) return;
  bubble.classList.replace('sending', 'failed');
  bubble.lastChild.textContent = `not delivered: ${text}`;
}

function state(now) {
  if (now === 'open') return hideBanner();
  if (opened || now === 'waiting') showBanner('Reconnecting… You can keep writing; nothing is lost.');
}

function fault(text) {
  showBanner(text);
}

function finished() {
  if (done) return;
  done = true;
  form.hidden = true;
  showProgress();
  const thanks = el('h2', { tabindex: '-1' }, 'Thank you');
  const text = 'Your answers have been saved. You can close this page.';
  part('main').append(
    el(
      'section',
      { class: 'thanks' },
      el('img', { src: '/assets/tardigrade.svg', alt: '' }),
      thanks,
      el('p', null, text),
    ),
  );
  thanks.focus({ preventScroll: true });
  toEnd();
}

function refused(reason) {
  const [title, advice] = REFUSALS[reason];
  form.hidden = true;
  hideBanner();
  put(part('meter'));
  part('title').textContent = title;
  const parts = [el('img', { src: '/assets/tardigrade.svg', alt: '' }), el('p', null, advice)];
  put(part('main'), el('section', { class: 'thanks', role: 'alert' }, parts));
}

function showSending(nonce, body) {
  const bubble = addBubble('employee', body, 'sending…', true);
  bubble.classList.add('sending');
  bubbles.set(nonce, bubble);
}

function addBubble(sender, body, note, underWay = false) {
  const own = sender === 'employee';
  const who = el('span', { class: 'hidden' }, own ? 'You: ' : 'Question: ');
  const bubble = el(
    'li',
    { class: own ? 'bubble mine' : 'bubble bot' },
    who,
    el('p', null, body),
    el('small', null, note),
  );
  // Answers still under way stay below what the server has already ordered.
  const firstSending = underWay ? null : messages.querySelector('.sending');
  messages.insertBefore(bubble, firstSending);
  toEnd();
  return bubble;
}

function showProgress() {
  if (questions === 0) return;
  const now = Math.min(answered + 1, questions);
  part('progress').textContent = done ? 'All questions answered' : `Question ${now} of ${questions}`;
  const steps = Array.from({ length: questions }, (_, i) => el('span', { class: done || i < answered ? 'done' : '' }));
  put(part('meter'), steps);
}

function showBanner(text) {
  if (banner.textContent !== text) banner.textContent = text;
  banner.hidden = false;
}

function hideBanner() {
  banner.hidden = true;
  banner.textContent = '';
}

function growTextarea() {
  textarea.style.height = 'auto';
  textarea.style.height = `${Math.min(textarea.scrollHeight, 180)}px`;
}

function toEnd() {
  window.scrollTo({ top: document.body.scrollHeight });
}
