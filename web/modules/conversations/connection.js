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
//   4. Come back slowly and at random (link.js).
// What it costs. One answer in memory; a round trip per answer.
// Its bound. One answer of its own, one connection, one timer of each kind.
// Its proof. test/modules/conversations/connection.test.ts, connection.browser.test.ts and story.browser.test.ts.

import { PLAIN } from './environment.js';
import { keepAnswers } from './kept-answers.js';
import { createLink } from './link.js';
import {
  ACK_WAIT_MS,
  afterAnswerError,
  answerFrame,
  helloFrame,
  seenFrame,
  TYPING_EVERY_MS,
  typingFrame,
  waitMs,
} from './protocol.js';
import { createTimers } from './timers.js';

/** @import { AnswerContent, Message, ServerFrame, Welcome } from './protocol.js' */
/** @import { Environment } from './environment.js' */
/** @import { State } from './link.js' */

const QUIET_MS = 20_000; // after this long without a word, a person who comes back wants to know what was missed

/** @typedef {{ seq: number, answer: 'text' | 'scale' }} Question */

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
export function connectConversation({ url, token, on = {}, environment: given = {} }) {
  const environment = { ...PLAIN, ...given };
  const { storage, random, now, newNonce } = environment;
  const timers = createTimers(environment);
  const kept = keepAnswers(storage, token, now);
  const drawn = new Set(); // nonces that `sending` has reported
  let lastSeq = 0;
  let question = null; // that can be answered now
  let underWay = null; // the nonce of the one answer that was sent, or waits to be sent again
  let refusals = 0; // of it, in a row
  let seen = 'no'; // then 'due', then 'said'
  let replaying = false;
  let heardAt = 0;
  let typedAt = 0;
  let finished = false;

  const link = createLink({
    url,
    token,
    environment,
    on: {
      greeting() {
        underWay = null;
        return helloFrame(lastSeq);
      },
      frame: receive,
      away() {
        timers.stopAll();
        underWay = null;
        refusals = 0;
      },
      lost: (how) => report('lost', how),
      back() {
        if (link.isUp && underWay === null && now() - heardAt > QUIET_MS) link.greet();
      },
      state: (state) => report('state', state),
      refused(why) {
        timers.stopAll();
        question = null;
        report('refused', why);
      },
    },
  });

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
    link.welcomed();
    report('welcome', frame);
    replaying = true;
    for (const message of frame.messages) received(message);
    replaying = false;
    if (!link.isUp) return; // a hole: we are on our way to connect again
    link.ready();
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

  // Rule 1: no number twice, no number missing.
  function received(message) {
    if (message.seq <= lastSeq) return;
    if (message.seq > lastSeq + 1) {
      report('gap', { expected: lastSeq + 1, got: message.seq });
      return link.drop();
    }
    lastSeq = message.seq;
    if (message.answer !== undefined) question = { seq: message.seq, answer: message.answer };
    report('message', message);
    // It may come back as a message before its acknowledgement does, for instance after a reconnect.
    if (message.nonce && kept.get(message.nonce) !== undefined)
      acknowledged({ nonce: message.nonce, seq: message.seq });
    else if (link.isUp && !replaying) report('waiting', askable());
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
    link.succeeded();
    if (answer.questionSeq === question?.seq) question = null;
    report('delivered', nonce, seq, answer);
    if (!link.isUp || replaying) return;
    sendNext();
    report('waiting', askable());
  }

  function reject(nonce, { code, message }) {
    const answer = kept.get(nonce);
    if (answer === undefined) return;
    settle(nonce);
    report('rejected', nonce, answer, { code, message });
    if (code === 'gone') return link.end('gone');
    // The conversation is elsewhere than we believe, for instance finished in another window: hear what we missed.
    if (code === 'conflict') return link.greet();
    sendNext();
    report('waiting', askable());
  }

  function settle(nonce) {
    kept.remove(nonce);
    if (nonce !== underWay) return;
    timers.stop('ack');
    timers.stop('again');
    underWay = null;
    if (refusals > 0) link.show('open');
    refusals = 0;
  }

  function refusedBy({ code, message, retryAfterMs = 0, nonce = underWay }) {
    if (nonce === null) return link.isUp ? report('fault', message) : link.refusedHello(code, retryAfterMs);
    if (afterAnswerError(code) === 'rejected') return reject(nonce, { code, message });
    if (nonce !== underWay) return;
    timers.stop('ack');
    refusals++;
    link.show('busy');
    timers.start('again', sendUnderWay, waitMs(refusals, retryAfterMs, random()));
  }

  function ended() {
    question = null;
    if (finished) return;
    finished = true;
    report('finished');
    if (link.isUp) report('waiting', null);
  }

  // Answers that were written before the end may have been stored: the server knows, so they are still sent.
  function sendNext() {
    if (!link.isUp || underWay !== null) return;
    const [oldest] = kept.all();
    if (oldest === undefined) return;
    underWay = oldest[0];
    sendUnderWay();
  }

  function sendUnderWay() {
    link.send(answerFrame(underWay, kept.get(underWay)));
    timers.start('ack', link.drop, ACK_WAIT_MS);
  }

  function saySeen() {
    if (seen !== 'due' || !link.isUp) return;
    seen = 'said';
    link.send(seenFrame());
  }

  // Rule 3.
  function answer(content, nonce = newNonce()) {
    if (link.isOver || askable()?.seq !== content.questionSeq) return null;
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

  function report(what, ...about) {
    on[what]?.(...about);
  }

  for (const [nonce, answer] of kept.all()) draw(nonce, answer); // written before the page was loaded
  link.connect();
  return {
    answer,
    seen() {
      if (seen === 'no') seen = 'due';
      saySeen();
    },
    typing() {
      if (!link.isUp || now() - typedAt < TYPING_EVERY_MS) return;
      typedAt = now();
      link.send(typingFrame());
    },
    close() {
      timers.stopAll();
      link.close();
    },
  };
}
