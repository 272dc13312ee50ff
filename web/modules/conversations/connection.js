// What it is. The employee's end of a check-in: a conversation that outlives its connections.
// What fails without it. Phones sleep, trains enter tunnels, servers restart for a deploy. A plain WebSocket loses the
//   answer that was under way, shows a message twice after a reload, and, when a server comes back, every page knocks
//   in the same second and knocks it over again.
// How it works. Three rules:
//   1. Resume, do not restart. Every message has a number (`seq`) without gaps. Each new connection says the highest
//      one already shown; the server sends what came after. A number seen before is dropped; a hole means that
//      something was missed, so we connect again and resume from before the hole.
//   2. An answer is ours until it is acknowledged. It keeps one `nonce` for life and is sent again after each
//      reconnect. The server stores a nonce once, so "maybe it arrived" is never a question. It is also kept in
//      sessionStorage, so a reload does not lose it.
//   3. Come back slowly and at random: exponential backoff with full jitter.
// What it costs. At most UNSENT_MAX answers in memory; a few seconds of wait after an outage.

import { keptAnswers } from './kept-answers.js';

const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 15_000;
const BACKOFF_STEPS = Math.ceil(Math.log2(BACKOFF_MAX_MS / BACKOFF_FIRST_MS));
const STABLE_AFTER_MS = 5_000; // a connection that lived this long was a success; before that, the wait keeps growing
const WELCOME_WAIT_MS = 15_000;
const ACK_WAIT_MS = 10_000; // longer than this and the connection is presumed dead, even if it does not know yet
const RATE_LIMITED_WAIT_MS = 3_000;
const UNSENT_MAX = 5;

const CLOSED_FOR_GOOD = new Map([
  [4001, 'invalid'],
  [4010, 'gone'],
]);
const TOO_MUCH = 1008; // the server found us impolite: come back, but start from the longest wait
// The server handles one client's answers in order, so a refusal without a nonce is about the oldest one.
const NEVER_TAKEN = new Set(['invalid', 'conflict', 'not_found', 'too_large']);

/**
 * Opens the conversation and keeps it open. `on` holds the callbacks:
 *   welcome({ name, organisation, campaign, questions, finished })  after each (re)connect, before its messages
 *   message({ seq, sender, body, at, nonce })  each exactly once, in order; `nonce` tells which of our answers it is
 *   delivered(nonce)   the server has committed this answer
 *   rejected(nonce, text)   the server will never take this answer
 *   state('connecting' | 'open' | 'waiting')    fault(text)    finished()    refused('invalid' | 'gone')
 * Returns { answer(body) -> nonce or null when too many are unsent, unsent() -> [[nonce, body]] }.
 */
export function connectConversation({ url, token, on }) {
  const unsent = keptAnswers(token); // in the order written
  const acknowledgedAt = new Map(); // seq -> nonce, for an acknowledgement that came before its message
  let socket = null;
  let lastSeq = 0;
  let failures = 0;
  let welcomed = false;
  let closed = false;
  const timers = {};

  function connect() {
    stopTimers();
    on.state('connecting');
    socket = new WebSocket(url);
    socket.onopen = () => send({ type: 'hello', token, lastSeq });
    socket.onmessage = (event) => receive(JSON.parse(event.data));
    socket.onclose = (event) => lost(event.code);
    timers.welcome = setTimeout(() => drop(), WELCOME_WAIT_MS);
  }

  function receive(frame) {
    if (frame.type === 'welcome') return resumed(frame);
    if (frame.type === 'message') return received(frame);
    if (frame.type === 'ack') return acknowledged(frame);
    if (frame.type === 'finished') return ended();
    if (frame.type === 'error') return refusedBy(frame);
  }

  function resumed(frame) {
    clearTimeout(timers.welcome);
    timers.stable = setTimeout(() => {
      failures = 0;
    }, STABLE_AFTER_MS);
    welcomed = true;
    on.welcome(frame);
    for (const message of frame.messages) received(message);
    on.state('open');
    if (frame.finished) ended();
    else resend();
  }

  // Rule 1: no number twice, no number missing.
  function received(message) {
    if (message.seq <= lastSeq) return;
    if (message.seq > lastSeq + 1) return drop();
    lastSeq = message.seq;
    on.message({ ...message, nonce: message.sender === 'employee' ? nonceOf(message) : null });
  }

  // An answer may come back as a message before its acknowledgement does, for instance after a reconnect. Answers are
  // stored in the order sent, so it is the oldest unsent one with this text that was written before the message.
  function nonceOf(message) {
    const known = message.nonce ?? acknowledgedAt.get(message.seq);
    acknowledgedAt.delete(message.seq);
    if (known) return known;
    for (const [nonce, answer] of unsent.all()) {
      if (answer.body === message.body && answer.after < message.seq && !answer.shown) {
        answer.shown = true;
        return nonce;
      }
    }
    return null;
  }

  // Rule 2: only now is the answer the server's.
  function acknowledged({ nonce, seq }) {
    unsent.remove(nonce);
    if (seq > lastSeq) acknowledgedAt.set(seq, nonce);
    on.delivered(nonce);
    watchAcknowledgement();
  }

  function refusedBy({ code, message, nonce }) {
    if (code === 'rate_limited') {
      timers.resend = setTimeout(resend, RATE_LIMITED_WAIT_MS * (1 + Math.random()));
    } else if (nonce || (NEVER_TAKEN.has(code) && unsent.all().length > 0)) {
      reject(nonce ?? unsent.all()[0][0], message);
    } else if (welcomed) {
      on.fault(message);
    }
  }

  function reject(nonce, text) {
    unsent.remove(nonce);
    on.rejected(nonce, text);
    watchAcknowledgement();
  }

  // Nothing is taken after the end. What came back as a message was in time; the rest was not.
  function ended() {
    for (const [nonce, answer] of unsent.all()) {
      if (answer.shown) acknowledged({ nonce, seq: 0 });
      else reject(nonce, 'The check-in had ended.');
    }
    on.finished();
  }

  function resend() {
    for (const [nonce, { body }] of unsent.all()) send({ type: 'answer', nonce, body });
    watchAcknowledgement();
  }

  function watchAcknowledgement() {
    clearTimeout(timers.ack);
    if (welcomed && unsent.all().length > 0) timers.ack = setTimeout(() => drop(), ACK_WAIT_MS);
  }

  // A dead connection can take minutes to notice its own end: let go of it and act as if it had.
  function drop() {
    const old = socket;
    old.onopen = old.onmessage = old.onclose = null;
    old.close();
    lost(1006);
  }

  // Rule 3.
  function lost(code) {
    stopTimers();
    socket = null;
    welcomed = false;
    if (CLOSED_FOR_GOOD.has(code)) {
      closed = true;
      return on.refused(CLOSED_FOR_GOOD.get(code));
    }
    on.state('waiting');
    if (code === TOO_MUCH) failures = BACKOFF_STEPS;
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** failures);
    failures++;
    timers.retry = setTimeout(connect, Math.random() * ceiling);
  }

  function stopTimers() {
    for (const timer of Object.values(timers)) clearTimeout(timer);
  }

  function send(frame) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
  }

  function answer(body) {
    if (unsent.all().length >= UNSENT_MAX) return null;
    const nonce = newNonce();
    unsent.add(nonce, { body, after: lastSeq });
    if (welcomed) send({ type: 'answer', nonce, body });
    watchAcknowledgement();
    return nonce;
  }

  // The network is back, or the person is: no reason to sit out the rest of the wait.
  function wake() {
    if (socket === null && !closed && !document.hidden) connect();
  }
  window.addEventListener('online', wake);
  document.addEventListener('visibilitychange', wake);

  connect();
  return { answer, unsent: () => unsent.all().map(([nonce, { body }]) => [nonce, body]) };
}

// crypto.randomUUID exists only on https and localhost; a small server may be reached by address on a local network.
function newNonce() {
  const hex = [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
  return hex.replace(/^(.{8})(.{3}).(.{3}).(.{3})(.*)$/, (_, a, b, c, d, e) => `${a}-${b}4-4${c}-8${d}-${e}`);
}
