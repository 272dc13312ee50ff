// The chat's protocol, version 1: the frames, the close codes, and when a client comes back. The server, the page, the
// tests and the bench take their types from here. Nothing in this file knows a page, so any program can use it.
//
// A connection begins with a ticket, which is good for one socket, soon. An employee's client gets it for the token of the
// link, with a POST to the socket's address and /ticket: { token } -> { ticket }, or an error as below, when it is refused.
// Somebody of the people team gets one from the api. The socket is opened with the subprotocols `ticket` and
// `ticket.<ticket>`, of which the server chooses the first. (A browser lets a page set no other header of an upgrade, and
// an address is in every log.)
//
// client                                       server
// { type: 'hello', version, lastSeq }         -> { type: 'welcome', name, organisation, campaign, questions, messages, … }
//                                               or { type: 'resync', fromSeq } and a welcome, when what came after
//                                               lastSeq is more than the server repeats: forget what came before fromSeq
// { type: 'answer', nonce, questionSeq, text }
//           or with `choice` instead of `text` -> { type: 'ack', nonce, seq } once it is committed
//                                               { type: 'message', seq, sender, body, at, … } as they are committed
//                                               { type: 'finished' } after the last one
// { type: 'seen' } at the first sign of a person, at most once in a page's life
// { type: 'typing' } now and then             -> { type: 'typing', name } when somebody of the people team writes
// anything                                   -> { type: 'error', code, message } when it is refused; `nonce` when an
//                                               answer is meant, `retryAfterMs` when it may be sent again later
//
// Somebody of the people team watches:
//
// { type: 'hello', version, lastSeq }         -> { type: 'watching', messages, lastSeq, finished, canSay }
// { type: 'say', nonce, text }                -> { type: 'ack', nonce, seq } once it is committed
//                                               { type: 'present', isThere } whether the employee has a window open
// and the messages, typing and errors of above.
//
// A hello may be said again on an open connection, to catch up. A close with 1012 or 1013 has the reason
// "retry after <ms> ms". A 1012 with a short wait is a move to another process: nobody has to be told of it.

/**
 * @typedef {{ ticket: string } | Refusal} TicketAnswer
 * @typedef {{ type: 'hello', version?: number, lastSeq: number }} Hello
 *   `lastSeq`: the highest seq that the client has, 0 for none
 * @typedef {{ questionSeq: number, text: string } | { questionSeq: number, choice: number }} AnswerContent
 *   `questionSeq`: of the question that was on the screen when the answer was written
 * @typedef {{ type: 'answer', nonce: string } & AnswerContent} Answer
 *   `nonce`: the answer's name for life, because the server stores each one once
 * @typedef {{ type: 'seen' }} Seen
 * @typedef {{ type: 'typing' }} Typing
 * @typedef {Hello | Answer | Seen | Typing} ClientFrame
 *
 * @typedef {object} Message
 * @property {number} seq 1, 2, 3 … without a gap
 * @property {'bot' | 'employee' | 'person'} sender `person`: somebody of the people team, with their name in `author`
 * @property {string} [author]
 * @property {string} body
 * @property {string} at ISO 8601
 * @property {string | null} [nonce] of an answer
 * @property {'text' | 'scale'} [answer] of a question: how it is answered
 *
 * @typedef {object} Welcome
 * @property {'welcome'} type
 * @property {string} name
 * @property {string} organisation
 * @property {string} campaign
 * @property {number} questions how many there are in all
 * @property {readonly Message[]} messages those after the client's lastSeq
 * @property {number} lastSeq
 * @property {boolean} finished
 * @property {number | null} waitingFor the seq of the question that can be answered now
 *
 * @typedef {{ type: 'ack', nonce: string, seq: number }} Ack
 * @typedef {{ type: 'finished' }} Finished
 * @typedef {{ type: 'resync', fromSeq: number }} Resync
 * @typedef {{ type: 'error', code: string, message: string, retryAfterMs?: number, nonce?: string }} Refusal
 * @typedef {{ type: 'typing', name: string | null }} SomebodyTypes
 * @typedef {Welcome | ({ type: 'message' } & Message) | Ack | Finished | Resync | SomebodyTypes | Refusal} ServerFrame
 */

export const VERSION = 1;

/** The close codes that the server uses. 1012 and 1013 mean: come back, slowly and at random. */
export const CLOSE = Object.freeze({
  policy: 1008,
  restart: 1012,
  busy: 1013,
  linkNotValid: 4001,
  accessEnded: 4003, // of somebody who watches, and is not signed in any more
  linkExpired: 4010,
});

export const ANSWER_CHARS_MAX = 2_000; // as the server counts them: see countChars
export const CHOICES = Object.freeze([1, 2, 3, 4, 5]);

/** Exponential, with full jitter: many clients that lost one server must not come back in the same second. */
export const BACKOFF_MS = Object.freeze({ base: 500, max: 15_000 });
export const BACKOFF_GROWTH = 1.3; // of 5,000 clients whose server was away for 3 s the last is back after 9 s; when waits double, after 18 s
export const HINT_MS_MAX = 60_000; // a server that asks for more is misconfigured; nobody looks at a page for this long
export const MOVE_HINT_MS_MAX = 1_000; // a wait that nobody notices
export const MOVE_UNSEEN_MS = 4_000; // after which a move that does not succeed is a lost connection like any other
export const WELCOME_WAIT_MS = 15_000; // above the server's own waits: it says no before we give up
export const ACK_WAIT_MS = 10_000; // longer than this and the connection is presumed dead, even if it does not know yet
export const TYPING_EVERY_MS = 3_000; // how often a client says that somebody is typing
export const STABLE_AFTER_MS = 5_000; // a connection that lived this long was a success; before that, the wait keeps growing

const LONGEST_WAIT_FAILURES = Math.ceil(Math.log(BACKOFF_MS.max / BACKOFF_MS.base) / Math.log(BACKOFF_GROWTH));
const NEVER_TAKEN = new Set(['invalid', 'conflict', 'not_found', 'gone', 'forbidden', 'too_large', 'unsupported']);

/**
 * Where a token becomes a ticket.
 * @param {string} url of the socket
 */
export function ticketUrl(url) {
  return `${url.replace(/^ws/, 'http')}/ticket`;
}

/**
 * The subprotocols that a socket is opened with.
 * @param {string} ticket
 */
export function protocolsOf(ticket) {
  return ['ticket', `ticket.${ticket}`];
}

/**
 * @param {number} lastSeq
 * @returns {Hello}
 */
export function helloFrame(lastSeq) {
  return { type: 'hello', version: VERSION, lastSeq };
}

/**
 * @param {string} nonce
 * @param {AnswerContent} content
 * @returns {Answer}
 */
export function answerFrame(nonce, content) {
  const { questionSeq } = content;
  if ('choice' in content) return { type: 'answer', nonce, questionSeq, choice: content.choice };
  return { type: 'answer', nonce, questionSeq, text: content.text };
}

/** @returns {Seen} */
export function seenFrame() {
  return { type: 'seen' };
}

/** @returns {Typing} */
export function typingFrame() {
  return { type: 'typing' };
}

/**
 * As the server stores it: composed (NFC), without NUL, halves of surrogate pairs, and blanks around it.
 * @param {string} text
 */
export function cleanText(text) {
  return text.replaceAll('\0', '').toWellFormed().normalize('NFC').trim();
}

/**
 * False for a text that is drawn as nothing (blanks, a zero-width space, a mark without a letter, the Hangul filler, the
 * empty Braille pattern), which is not an answer.
 * @param {string} text
 */
export function isVisible(text) {
  return /[^\p{Z}\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u.test(text);
}

/**
 * Code points, as JSON Schema's maxLength counts: an emoji of one code point is one, though JavaScript's length is two.
 * @param {string} text
 */
export function countChars(text) {
  let chars = 0;
  for (const _ of text) chars++;
  return chars;
}

/**
 * Why a connection is not to be opened again, or undefined when it is.
 * @param {number} code of the close
 * @returns {'invalid' | 'gone' | undefined}
 */
export function refusalOf(code) {
  if (code === CLOSE.linkNotValid) return 'invalid';
  return code === CLOSE.linkExpired ? 'gone' : undefined;
}

/**
 * What the reason of a close asks for, in ms; 0 when it asks for nothing.
 * @param {string} reason
 */
export function hintOf(reason) {
  return Number(/^retry after (\d+) ms$/.exec(reason)?.[1] ?? 0);
}

/**
 * Whether the server only moves us to another process: we are back before anybody notices.
 * @param {number} code of the close
 * @param {number} hintMs of the server
 */
export function isMove(code, hintMs) {
  return code === CLOSE.restart && hintMs <= MOVE_HINT_MS_MAX;
}

/**
 * How many failures in a row there have been, now that a connection was lost.
 * @param {number} failures before this one
 * @param {number} code of the close
 */
export function failuresAfter(failures, code) {
  // The server found us impolite: come back, but after the longest wait.
  return code === CLOSE.policy ? Math.max(failures, LONGEST_WAIT_FAILURES) + 1 : failures + 1;
}

/**
 * The wait after so many failures in a row: what the server asked for, then anything up to a ceiling that grows with each
 * failure.
 * @param {number} failures at least 1
 * @param {number} [hintMs] of the server
 * @param {number} [random] from 0 to 1
 */
export function waitMs(failures, hintMs = 0, random = Math.random()) {
  const ceiling = Math.min(BACKOFF_MS.max, BACKOFF_MS.base * BACKOFF_GROWTH ** (failures - 1));
  return Math.min(hintMs, HINT_MS_MAX) + random * ceiling;
}

/**
 * What an error means when it comes instead of a ticket or a welcome. `invalid`: the link will never be taken, because we did not
 * issue it or it is not even spelled like one. `gone`: it has expired. `outdated`: the server speaks another version.
 * `again`: come back later.
 * @param {string} code of the error
 * @returns {'invalid' | 'gone' | 'outdated' | 'again'}
 */
export function afterHelloError(code) {
  if (code === 'not_found' || code === 'invalid') return 'invalid';
  if (code === 'unsupported') return 'outdated';
  return code === 'gone' ? 'gone' : 'again';
}

/**
 * What an error means while an answer is under way. `rejected`: it will never be taken. `keep`: the server could not
 * take it now; it is kept and sent again after a wait.
 * @param {string} code of the error
 * @returns {'rejected' | 'keep'}
 */
export function afterAnswerError(code) {
  return NEVER_TAKEN.has(code) ? 'rejected' : 'keep';
}
