// What it is. Answers that are not acknowledged yet, in memory and, where a storage is given, on the device as well.
// What fails without it. "Nothing is lost" is untrue as soon as the tab is closed.
// How it works. One entry for each answer, named after its link and its nonce: two windows of one link never overwrite
//   each other, and one link never reads another's. Both may send the same answer, because the server stores a nonce once.
// What it costs. A synchronous write for each answer.
// Its bound. KEPT_ANSWERS_MAX on the device, each for KEPT_DAYS; beyond that the oldest go.
// Its proof. test/modules/conversations/kept-answers.test.ts.

/** @import { AnswerContent } from './protocol.js' */
/** @typedef {AnswerContent & { at: number }} KeptAnswer `at`: when it was written, in ms since 1970 */
/** @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>} KeptIn */

const PREFIX = 'check-in';
export const KEPT_DAYS = 7;
export const KEPT_ANSWERS_MAX = 20;
const DAY_MS = 86_400_000;

/**
 * @param {KeptIn | null} storage null keeps answers in memory only
 * @param {string} token of the link
 * @param {() => number} now ms since 1970
 */
export function keepAnswers(storage, token, now) {
  const prefix = `${PREFIX}/${token}/`;
  /** @type {Map<string, KeptAnswer>} */
  const kept = new Map();
  let safe = storage !== null;
  if (storage !== null) forgetOld(storage, now());
  refresh();

  /** Takes in what other windows of this link have left, also one that is closed by now. */
  function refresh() {
    for (const [key, answer] of storage === null ? [] : entriesOf(storage))
      if (key.startsWith(prefix)) kept.set(key.slice(prefix.length), answer);
  }

  return {
    refresh,
    /** Oldest first. @returns {[string, KeptAnswer][]} nonce and answer */
    all: () => [...kept].sort(([, a], [, b]) => a.at - b.at),
    /** @param {string} nonce @returns {KeptAnswer | undefined} */
    get: (nonce) => kept.get(nonce),
    /** @param {string} nonce @param {AnswerContent} content */
    add(nonce, content) {
      const answer = { ...content, at: now() };
      kept.set(nonce, answer);
      safe = storage !== null && write(storage, prefix + nonce, answer);
      return answer;
    },
    /** @param {string} nonce */
    remove(nonce) {
      kept.delete(nonce);
      attempt(() => storage?.removeItem(prefix + nonce));
    },
    /** Whether the answers outlive the page: private windows may refuse to store anything. */
    isSafe: () => safe,
  };
}

/** @param {KeptIn} storage @param {number} now */
function forgetOld(storage, now) {
  const entries = entriesOf(storage).sort(([, a], [, b]) => b.at - a.at);
  const old = entries.filter(([, { at }], nth) => nth >= KEPT_ANSWERS_MAX || at < now - KEPT_DAYS * DAY_MS);
  for (const [key] of old) attempt(() => storage.removeItem(key));
}

/** @param {KeptIn} storage @returns {[string, KeptAnswer][]} */
function entriesOf(storage) {
  const read = () => {
    const keys = Array.from({ length: storage.length }, (_, nth) => storage.key(nth) ?? '');
    return keys.filter((key) => key.startsWith(`${PREFIX}/`)).map((key) => [key, parse(storage.getItem(key))]);
  };
  return (attempt(read) ?? []).filter(([, answer]) => answer !== undefined);
}

/** @param {string | null} text */
function parse(text) {
  const answer = attempt(() => JSON.parse(text ?? ''));
  const isAnswer =
    Number.isFinite(answer?.at) &&
    Number.isInteger(answer.questionSeq) &&
    (typeof answer.text === 'string' || Number.isInteger(answer.choice));
  return isAnswer ? answer : undefined;
}

/** @param {KeptIn} storage @param {string} key @param {KeptAnswer} answer */
function write(storage, key, answer) {
  return (
    attempt(() => {
      storage.setItem(key, JSON.stringify(answer));
      return true;
    }) ?? false
  );
}

/** A storage may throw at any touch: it is full, or the browser refuses it. Memory still holds the answers. */
function attempt(run) {
  try {
    return run();
  } catch {
    return undefined;
  }
}
