// What it is. The employee's end of a check-in: a conversation that outlives its connections. The page, the tests and
//   the bench use it; it needs nothing but fetch and a WebSocket, so it runs in a browser and in Node.
// What fails without it. Phones sleep, trains enter tunnels, servers restart for a deploy. A plain WebSocket loses the
//   answer that was under way, shows a message twice after a reload, and, when a server comes back, every page knocks
//   in the same second and knocks it over again.
// How it works. Four rules:
//   1. Resume, do not restart. Every message has a number (`seq`) without gaps. Each new connection says the highest
//      one already shown; the server sends what came after. A number seen before is dropped; a hole means that
//      something was missed, so we connect again and resume from before the hole.
//   2. An answer is ours until it is acknowledged. It keeps one `nonce` for life and is sent again after each
//      reconnect and when the server is overloaded. The server stores a nonce once, so "maybe it arrived" is never a
//      question. Where a storage is given, it outlives the page as well (kept-answers.js).
//   3. One answer to one question. An answer names the question that was on the screen when it was written, and
//      nothing more is taken until the next question is there.
//   4. Come back slowly and at random: exponential backoff with full jitter, and never before the server asked us to
//      (protocol.js). Each connection begins with a ticket for the link's token: a refusal of a ticket can be read, where
//      a browser shows a refused socket as a failure without a reason.
// What it costs. One answer in memory; a few seconds of wait after an outage; a round trip per answer, and one more per
//   connection.
// Its bound. One answer of its own, one connection, one timer of each kind.
// Its proof. test/modules/conversations/connection.test.ts, connection.browser.test.ts and story.browser.test.ts.

import { PLAIN } from './environment.js';
import { keepAnswers } from './kept-answers.js';
import {
  ACK_WAIT_MS,
  afterAnswerError,
  afterHelloError,
  answerFrame,
  BACKOFF_MS,
  CLOSE,
  failuresAfter,
  HINT_MS_MAX,
  helloFrame,
  hintOf,
  isMove,
  MOVE_UNSEEN_MS,
  protocolsOf,
  refusalOf,
  STABLE_AFTER_MS,
  seenFrame,
  TYPING_EVERY_MS,
  typingFrame,
  WELCOME_WAIT_MS,
  waitMs,
} from './protocol.js';

/** @import { AnswerContent, Message, ServerFrame, TicketAnswer, Welcome } from './protocol.js' */
/** @import { Environment } from './environment.js' */

const CLOSED_WITHOUT_A_WORD = 1006; // RFC 6455
const QUIET_MS = 20_000; // after this long without a word, a person who comes back wants to know what was missed

/**
 * @typedef {'connecting' | 'open' | 'waiting' | 'busy' | 'offline'} State `busy`: waiting because the server asked us to
 * @typedef {{ seq: number, answer: 'text' | 'scale' }} Question
 */

/**
 * What the client reports.
 * @typedef {object} Reports
 * @property {(welcome: Welcome) => void} [welcome] after each hello, before its messages
 * @property {(message: Message) => void} [message] each exactly once, in order of seq
 * @property {(question: Question | null) => void} [waiting] the question that can be answered now; after each welcome
 *   and whenever it changes
 * @property {(nonce: string, content: AnswerContent, safe: boolean) => void} [sending] an answer is to be delivered, also
 *   one that was written before the page was loaded; `safe`: it outlives the page
 * @property {(nonce: string, seq: number, content: AnswerContent) => void} [delivered] the server has committed it
 * @property {(nonce: string, content: AnswerContent, refusal: { code: string, message: string }) => void} [rejected]
 *   the server will never take it
 * @property {() => void} [restarted] forget all messages: the server no longer repeats what we missed
 * @property {(state: State) => void} [state]
 * @property {(message: string) => void} [fault] the server refused something that is not an answer
 * @property {(name: string | null) => void} [typing] somebody of the people team is writing
 * @property {() => void} [finished]
 * @property {(why: 'invalid' | 'gone' | 'outdated') => void} [refused] the end: no further connection is tried
 * @property {(lost: { code: number, opened: boolean }) => void} [lost] a connection ended, or never began
 * @property {(gap: { expected: number, got: number }) => void} [gap] a message was missed; we resume from before it
 */

/**
 * @typedef {object} Conversation
 * @property {(content: AnswerContent, nonce?: string) => string | null} answer returns the answer's nonce, or null when
 *   its question is not waiting: another answer is under way, or another question has come
 * @property {() => void} seen a person is there
 * @property {() => void} typing the person is writing; passed on to those who watch, at most once every TYPING_EVERY_MS
 * @property {() => void} close
 */

/**
 * Opens the conversation and keeps it open.
 * @param {{ url: string, token: string, on?: Reports, environment?: Environment }} given `url` is that of the socket
 * @returns {Conversation}
 */
export function connectConversation({ url, token, on = {}, environment = {} }) {
  const { requestTicket, openSocket, storage, startTimer, stopTimer, random, now, newNonce, watch } = {
    ...PLAIN,
    ...environment,
  };
  const kept = keepAnswers(storage, token, now);
  const drawn = new Set(); // nonces that `sending` has reported
  const timers = {};
  let asking = null; // for a ticket: what ends that
  let socket = null;
  let lastSeq = 0;
  let failures = 0; // connections lost in a row
  let refusals = 0; // of the answer under way, in a row
  let question = null; // that can be answered now
  let underWay = null; // the nonce of the one answer that was sent, or waits to be sent again
  let seen = 'no'; // then 'due', then 'said'
  let offline = false;
  let greeted = false; // once welcomed, ever
  let welcomed = false; // on this connection
  let replaying = false;
  let heardAt = 0;
  let notBefore = 0; // the server asked us not to come back earlier
  let unseenUntil = 0; // until then we are on a move, and back before anybody notices
  let state = 'connecting';
  let typedAt = 0;
  let finished = false;
  let closed = false;

  function connect() {
    stopTimers();
    showState(offline ? 'offline' : 'connecting');
    start('welcome', drop, WELCOME_WAIT_MS);
    const mine = new AbortController();
    asking = mine;
    requestTicket(url, token, mine.signal).then(
      (answer) => asking === mine && ticketAnswered(answer),
      () => asking === mine && lost(CLOSED_WITHOUT_A_WORD, 0, false),
    );
  }

  /** @param {TicketAnswer} answer */
  function ticketAnswered(answer) {
    asking = null;
    if ('ticket' in answer) open(answer.ticket);
    else helloRefused(answer.code, answer.retryAfterMs);
  }

  function open(ticket) {
    const mine = openSocket(url, protocolsOf(ticket));
    let opened = false;
    socket = mine;
    mine.onopen = () => {
      opened = true;
      sayHello();
    };
    mine.onmessage = ({ data }) => receive(JSON.parse(data));
    mine.onclose = ({ code, reason }) => lost(code, hintOf(reason), opened);
    mine.onerror = () => undefined; // `close` follows
  }

  function sayHello() {
    welcomed = false;
    underWay = null;
    send(helloFrame(lastSeq));
    start('welcome', drop, WELCOME_WAIT_MS);
  }

  /** @param {ServerFrame} frame */
  function receive(frame) {
    heardAt = now();
    if (frame.type === 'welcome') return resumed(frame);
    if (frame.type === 'message') return received(frame);
    if (frame.type === 'ack') return acknowledged(frame);
    if (frame.type === 'finished') return ended();
    if (frame.type === 'resync') return restarted(frame);
    if (frame.type === 'typing') return report('typing', frame.name);
    if (frame.type === 'error') return refusedBy(frame);
  }

  function resumed(frame) {
    stop('welcome');
    start('stable', succeeded, STABLE_AFTER_MS);
    welcomed = true;
    greeted = true;
    offline = false;
    report('welcome', frame);
    replaying = true;
    for (const message of frame.messages) received(message);
    replaying = false;
    if (!welcomed) return; // a hole: we are on our way to connect again
    unseenUntil = 0;
    showState('open');
    kept.refresh();
    for (const [nonce, answer] of kept.all()) draw(nonce, answer);
    if (frame.finished) ended();
    else if (frame.waitingFor !== undefined && frame.waitingFor !== question?.seq) {
      question = frame.waitingFor === null ? null : { seq: frame.waitingFor, answer: 'text' };
    }
    saySeen();
    sendNext();
    report('waiting', askable());
  }

  function succeeded() {
    failures = 0;
  }

  // Rule 1: no number twice, no number missing.
  function received(message) {
    if (message.seq <= lastSeq) return;
    if (message.seq > lastSeq + 1) {
      report('gap', { expected: lastSeq + 1, got: message.seq });
      return drop();
    }
    lastSeq = message.seq;
    if (message.answer !== undefined) question = { seq: message.seq, answer: message.answer };
    report('message', message);
    // It may come back as a message before its acknowledgement does, for instance after a reconnect.
    if (message.nonce && kept.get(message.nonce) !== undefined)
      acknowledged({ nonce: message.nonce, seq: message.seq });
    else if (welcomed && !replaying) report('waiting', askable());
  }

  // The server no longer repeats what we missed.
  function restarted({ fromSeq }) {
    lastSeq = fromSeq - 1;
    question = null;
    report('restarted');
  }

  // Rule 2: only now is the answer the server's.
  function acknowledged({ nonce, seq }) {
    const answer = kept.get(nonce);
    if (answer === undefined) return;
    settle(nonce);
    succeeded();
    if (answer.questionSeq === question?.seq) question = null;
    report('delivered', nonce, seq, answer);
    if (!welcomed || replaying) return;
    sendNext();
    report('waiting', askable());
  }

  function reject(nonce, { code, message }) {
    const answer = kept.get(nonce);
    if (answer === undefined) return;
    settle(nonce);
    report('rejected', nonce, answer, { code, message });
    if (code === 'gone') return end('gone');
    // The conversation is elsewhere than we believe, for instance finished in another window: hear what we missed.
    if (code === 'conflict') return sayHello();
    sendNext();
    report('waiting', askable());
  }

  function settle(nonce) {
    kept.remove(nonce);
    if (nonce !== underWay) return;
    stop('ack');
    stop('again');
    underWay = null;
    if (refusals > 0) showState('open');
    refusals = 0;
  }

  function refusedBy({ code, message, retryAfterMs = 0, nonce = underWay }) {
    if (nonce === null) return welcomed ? report('fault', message) : helloRefused(code, retryAfterMs);
    if (afterAnswerError(code) === 'rejected') return reject(nonce, { code, message });
    if (nonce !== underWay) return;
    stop('ack');
    refusals++;
    showState('busy');
    start('again', sendUnderWay, waitMs(refusals, retryAfterMs, random()));
  }

  function helloRefused(code, retryAfterMs = 0) {
    const next = afterHelloError(code);
    // During a deploy an older server may not know our frames: the link was good before.
    if (next === 'again' || (code === 'invalid' && greeted)) return drop(CLOSE.busy, retryAfterMs);
    end(next);
  }

  function end(why) {
    letGo();
    refuse(why);
  }

  function ended() {
    question = null;
    if (finished) return;
    finished = true;
    report('finished');
    if (welcomed) report('waiting', null);
  }

  // Answers that were written before the end may have been stored: the server knows, so they are still sent.
  function sendNext() {
    if (!welcomed || underWay !== null) return;
    const [oldest] = kept.all();
    if (oldest === undefined) return;
    underWay = oldest[0];
    sendUnderWay();
  }

  function sendUnderWay() {
    send(answerFrame(underWay, kept.get(underWay)));
    start('ack', drop, ACK_WAIT_MS);
  }

  function saySeen() {
    if (seen !== 'due' || !welcomed) return;
    seen = 'said';
    send(seenFrame());
  }

  // A dead connection can take minutes to notice its own end: let go of it and act as if it had.
  function drop(code = CLOSED_WITHOUT_A_WORD, hintMs = 0) {
    letGo();
    lost(code, hintMs, true);
  }

  function letGo() {
    asking?.abort();
    asking = null;
    const old = socket;
    socket = null;
    if (old === null) return;
    old.onopen = old.onmessage = old.onclose = null;
    if (typeof old.terminate === 'function')
      old.terminate(); // of `ws`: nobody waits for the other side
    else old.close();
  }

  // Rule 4.
  function lost(code, hintMs, opened) {
    stopTimers();
    asking = null;
    socket = null;
    if (welcomed && isMove(code, hintMs)) unseenUntil = now() + MOVE_UNSEEN_MS;
    welcomed = false;
    underWay = null;
    refusals = 0;
    const refusal = refusalOf(code);
    if (refusal !== undefined) return refuse(refusal);
    report('lost', { code, opened });
    if (closed) return;
    failures = failuresAfter(failures, code);
    notBefore = now() + Math.min(hintMs, HINT_MS_MAX);
    showState(offline ? 'offline' : code === CLOSE.busy || hintMs > 0 ? 'busy' : 'waiting');
    // The browser may be wrong about the network, so we still try.
    start('retry', connect, offline ? BACKOFF_MS.max : waitMs(failures, hintMs, random()));
  }

  function refuse(why) {
    stopTimers();
    closed = true;
    welcomed = false;
    question = null;
    stopWatching();
    report('refused', why);
  }

  const stopWatching = watch({
    offline() {
      offline = true;
      unseenUntil = 0;
      if (isAway()) return showState('offline');
      drop();
    },
    online() {
      offline = false;
      if (welcomed) return;
      letGo(); // it was begun on the network that is gone
      hurry();
    },
    back() {
      if (isAway()) hurry();
      else if (welcomed && underWay === null && now() - heardAt > QUIET_MS) sayHello();
    },
  });

  // The network is back, or the person is: no reason to sit out the rest of the wait, unless the server asked for it.
  function hurry() {
    if (now() >= notBefore) return connect();
    showState('busy');
  }

  function isAway() {
    return socket === null && asking === null;
  }

  // A move is not told, unless it takes too long.
  function showState(next) {
    state = next;
    stop('unseen');
    const leftMs = unseenUntil - now();
    if (leftMs <= 0) return report('state', state);
    start('unseen', () => report('state', state), leftMs);
  }

  // Rule 3.
  function answer(content, nonce = newNonce()) {
    if (closed || askable()?.seq !== content.questionSeq) return null;
    draw(nonce, kept.add(nonce, content));
    typedAt = 0;
    sendNext();
    report('waiting', null);
    return nonce;
  }

  function askable() {
    return kept.all().length > 0 ? null : question;
  }

  function draw(nonce, answer) {
    if (drawn.has(nonce)) return;
    drawn.add(nonce);
    report('sending', nonce, answer, kept.isSafe());
  }

  function send(frame) {
    if (socket?.readyState === OPEN) socket.send(JSON.stringify(frame));
  }

  function report(what, ...about) {
    on[what]?.(...about);
  }

  function start(name, run, ms) {
    stop(name);
    timers[name] = startTimer(() => run(), ms);
  }

  function stop(name) {
    stopTimer(timers[name]);
    timers[name] = undefined;
  }

  function stopTimers() {
    for (const name of Object.keys(timers)) stop(name);
  }

  for (const [nonce, given] of kept.all()) draw(nonce, given); // written before the page was loaded
  connect();
  return {
    answer,
    seen() {
      if (seen === 'no') seen = 'due';
      saySeen();
    },
    typing() {
      if (!welcomed || now() - typedAt < TYPING_EVERY_MS) return;
      typedAt = now();
      send(typingFrame());
    },
    close() {
      closed = true;
      welcomed = false;
      stopTimers();
      stopWatching();
      letGo();
    },
  };
}

const OPEN = 1; // WebSocket.OPEN
