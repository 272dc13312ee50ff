// What both ends of the chat agree on: frames, close codes, and when a client comes back. Nothing here knows a page, so
// any program that speaks to the chat can use it.
//
// client                                     server
// { type: 'hello', token, lastSeq }       -> { type: 'welcome', name, organisation, campaign, questions, messages, … }
//                                            { type: 'message', seq, sender, body, at } as they are committed
// { type: 'answer', nonce, body }         -> { type: 'ack', nonce, seq } once it is committed
//                                            { type: 'finished' } after the last one
// anything                                -> { type: 'error', code, message } when it is refused; it names no frame, and
//                                            the server takes one client's frames in order, so a client that sends one
//                                            frame at a time knows which one is meant

/** The close codes that the server uses. 1012 and 1013 mean: come back, slowly and at random. */
export const CLOSE = Object.freeze({ policy: 1008, restart: 1012, busy: 1013, linkNotValid: 4001, linkExpired: 4010 });

/** Exponential, with full jitter: many clients that lost one server must not come back in the same second. */
export const BACKOFF_MS = Object.freeze({ base: 500, max: 15_000 });
export const WELCOME_WAIT_MS = 15_000; // above the server's own waits: it says no before we give up
export const ACK_WAIT_MS = 10_000; // longer than this and the connection is presumed dead, even if it does not know yet
export const STABLE_AFTER_MS = 5_000; // a connection that lived this long was a success; before that, the wait keeps growing

const LONGEST_WAIT_FAILURES = Math.ceil(Math.log2(BACKOFF_MS.max / BACKOFF_MS.base));
const NEVER_TAKEN = new Set(['invalid', 'conflict', 'not_found', 'gone', 'too_large', 'unsupported']);

/**
 * @param {string} token of the link
 * @param {number} lastSeq the highest number that the client has; 0 for none
 */
export function helloFrame(token, lastSeq) {
  return { type: 'hello', token, lastSeq };
}

/**
 * @param {string} nonce the answer's name for life: the server stores each one once
 * @param {string} body
 */
export function answerFrame(nonce, body) {
  return { type: 'answer', nonce, body };
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
 * How many failures in a row there have been, now that a connection was lost.
 * @param {number} failures before this one
 * @param {number} code of the close
 */
export function failuresAfter(failures, code) {
  // The server found us impolite: come back, but after the longest wait.
  return code === CLOSE.policy ? Math.max(failures, LONGEST_WAIT_FAILURES) + 1 : failures + 1;
}

/**
 * The wait after so many failures in a row: anything up to a ceiling that doubles with each.
 * @param {number} failures at least 1
 * @param {number} [random] from 0 to 1
 */
export function backoffMs(failures, random = Math.random()) {
  return random * Math.min(BACKOFF_MS.max, BACKOFF_MS.base * 2 ** (failures - 1));
}

/**
 * What an error means when it comes instead of a welcome. `close`: the server is about to close, and the close code
 * says why. `refused`: a link that is not even spelled like one. `again`: come back later.
 * @param {string} code of the error
 * @returns {'close' | 'refused' | 'again'}
 */
export function afterHelloError(code) {
  if (code === 'not_found' || code === 'gone') return 'close';
  return code === 'invalid' ? 'refused' : 'again';
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
