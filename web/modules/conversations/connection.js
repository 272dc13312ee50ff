// What it is. The employee's end of a check-in: a conversation that outlives its connections.
// What fails without it. Phones sleep, trains enter tunnels, servers restart for a deploy. A plain WebSocket loses the
//   answer that was under way, shows a message twice after a reload, and, when a server comes back, every page knocks
//   in the same second and knocks it over again.
// How it works. Three rules:
//   1. Resume, do not restart. Every message has a number (`seq`) without gaps. Each new connection says the highest
//      one already shown; the server sends what came after. A number seen before is dropped; a hole means that
//      something was missed, so we connect again and resume from before the hole.
//   2. An answer is ours until it is acknowledged. It keeps one `nonce` for life and is sent again after each
//      reconnect and when the server is overloaded. The server stores a nonce once, so "maybe it arrived" is never a
//      question. One answer is under way at a time: a refused one cannot be overtaken by the next. It is also kept in
//      sessionStorage, so a reload does not lose it.
//   3. Come back slowly and at random: exponential backoff with full jitter (protocol.js).
// What it costs. At most UNSENT_MAX answers in memory; a few seconds of wait after an outage; a round trip per answer.
// Its bound. UNSENT_MAX answers, one connection, one timer of each kind.
// Its proof. test/modules/conversations/connection.browser.test.ts and story.browser.test.ts.

import { keptAnswers } from './kept-answers.js';
import {
  ACK_WAIT_MS,
  afterAnswerError,
  afterHelloError,
  answerFrame,
  backoffMs,
  CLOSE,
  failuresAfter,
  helloFrame,
  refusalOf,
  STABLE_AFTER_MS,
  WELCOME_WAIT_MS,
} from './protocol.js';

const UNSENT_MAX = 5;
const CLOSED_WITHOUT_A_WORD = 1006; // RFC 6455

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
  let failures = 0; // connections lost in a row
  let refusals = 0; // of the answer under way, in a row
  let underWay = null; // the nonce of the one answer that was sent, or waits to be sent again
  let welcomed = false;
  let over = false; // no more answers are taken
  let closed = false;
  const timers = {};

  function connect() {
    stopTimers();
    on.state('connecting');
    socket = new WebSocket(url);
    socket.onopen = () => send(helloFrame(token, lastSeq));
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
    if (!welcomed) return; // a hole: we are on our way to connect again
    on.state('open');
    if (frame.finished) ended();
    else sendNext();
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
    settle(nonce);
    if (seq > lastSeq) acknowledgedAt.set(seq, nonce);
    on.delivered(nonce);
    sendNext();
  }

  function reject(nonce, text) {
    settle(nonce);
    on.rejected(nonce, text);
    sendNext();
  }

  function settle(nonce) {
    unsent.remove(nonce);
    if (nonce !== underWay) return;
    clearTimeout(timers.ack);
    clearTimeout(timers.again);
    underWay = null;
    refusals = 0;
  }

  function refusedBy({ code, message }) {
    if (!welcomed) return helloRefused(code);
    if (underWay === null) return on.fault(message);
    if (afterAnswerError(code) === 'rejected') return reject(underWay, message);
    clearTimeout(timers.ack);
    clearTimeout(timers.again);
    refusals++;
    timers.again = setTimeout(sendUnderWay, backoffMs(refusals));
  }

  function helloRefused(code) {
    const next = afterHelloError(code);
    if (next === 'refused') drop(CLOSE.linkNotValid);
    if (next === 'again') drop(CLOSE.busy);
  }

  // Nothing is taken after the end. What came back as a message was in time; the rest was not.
  function ended() {
    over = true;
    for (const [nonce, answer] of unsent.all()) {
      if (answer.shown) acknowledged({ nonce, seq: 0 });
      else reject(nonce, 'The check-in had ended.');
    }
    on.finished();
  }

  function sendNext() {
    if (!welcomed || over || underWay !== null) return;
    const [oldest] = unsent.all();
    if (oldest === undefined) return;
    underWay = oldest[0];
    sendUnderWay();
  }

  function sendUnderWay() {
    const answer = unsent.all().find(([nonce]) => nonce === underWay)?.[1];
    send(answerFrame(underWay, answer.body));
    timers.ack = setTimeout(() => drop(), ACK_WAIT_MS);
  }

  // A dead connection can take minutes to notice its own end: let go of it and act as if it had.
  function drop(code = CLOSED_WITHOUT_A_WORD) {
    const old = socket;
    old.onopen = old.onmessage = old.onclose = null;
    old.close();
    lost(code);
  }

  // Rule 3.
  function lost(code) {
    stopTimers();
    socket = null;
    welcomed = false;
    underWay = null;
    const refusal = refusalOf(code);
    if (refusal !== undefined) {
      closed = true;
      return on.refused(refusal);
    }
    on.state('waiting');
    failures = failuresAfter(failures, code);
    timers.retry = setTimeout(connect, backoffMs(failures));
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
    sendNext();
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
