// The form of the chat: text or a scale, for the one question that waits. What is typed stays, whatever happens to the
// connection, and is only ever sent as the answer to a question that was on the screen.

import { put } from '/assets/el.js';
import { count } from '/assets/format.js';
import { keepDraft } from './draft.js';
import { ANSWER_CHARS_MAX, cleanText, countChars, isVisible } from './protocol.js';
import { createScale } from './scale.js';

const CHARS_LEFT_SHOWN = 200;
const TEXTAREA_PX_MAX = 180;
const HINTS = {
  underWay: 'Your last answer is still on its way. What you write stays here until the next question has come.',
  other: 'Another question has come since you began to write. To send this as its answer, press Send again.',
  invisible: 'There is nothing to read in this answer yet.',
};

/**
 * @param {object} given
 * @param {(id: string) => HTMLElement} given.part
 * @param {string} given.token of the link
 * @param {(content: import('./protocol.js').AnswerContent) => boolean} given.send false when it was not taken
 */
export function createForm({ part, token, send }) {
  const [form, hint, counter] = ['form', 'hint', 'counter'].map(part);
  const textarea = /** @type {HTMLTextAreaElement} */ (part('answer'));
  const draft = keepDraft(token);
  const scale = createScale(part('scale'), choose);
  let question = null; // the one that can be answered now
  let lastSeq = 0; // of the question that was on the screen last
  let writtenFor = 0; // the seq of the question on the screen when the text was begun

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  textarea.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!event.repeat) submit();
  });
  textarea.addEventListener('input', changed);
  const earlier = draft.read();
  if (earlier !== undefined) fill(earlier.text, earlier.questionSeq);

  function changed() {
    if (textarea.value === '') writtenFor = 0;
    else if (writtenFor === 0) writtenFor = lastSeq;
    draft.write({ text: textarea.value, questionSeq: writtenFor });
    showHint('');
    showLength();
    grow();
  }

  function submit() {
    const text = cleanText(textarea.value);
    if (textarea.value === '') return;
    if (!isVisible(text)) return showHint(HINTS.invisible);
    if (countChars(text) > ANSWER_CHARS_MAX) return textarea.focus();
    if (question === null) return showHint(HINTS.underWay);
    if (writtenFor !== question.seq) {
      writtenFor = question.seq;
      return showHint(HINTS.other);
    }
    if (!send({ questionSeq: question.seq, text })) return showHint(HINTS.underWay);
    fill('', 0);
  }

  function choose(choice) {
    if (question !== null) send({ questionSeq: question.seq, choice });
  }

  function fill(text, questionSeq) {
    textarea.value = text;
    writtenFor = questionSeq;
    changed();
  }

  function showHint(text) {
    if (hint.textContent !== text) put(hint, text);
  }

  function showLength() {
    const left = ANSWER_CHARS_MAX - countChars(cleanText(textarea.value));
    const tooMany = `${count(-left, 'character')} too many: please shorten your answer to send it.`;
    put(counter, left < 0 ? tooMany : left < CHARS_LEFT_SHOWN ? `${count(left, 'character')} left` : '');
    counter.classList.toggle('bad', left < 0);
    textarea.setAttribute('aria-invalid', String(left < 0));
  }

  function grow() {
    textarea.style.height = 'auto';
    textarea.style.height = `${Math.min(textarea.scrollHeight, TEXTAREA_PX_MAX)}px`;
  }

  return {
    /** @param {import('./connection.js').Question | null} next */
    ask(next) {
      const hadFocus = form.contains(document.activeElement);
      question = next;
      if (next === null) return scale.disable();
      if (next.seq !== lastSeq && hint.textContent === HINTS.underWay) showHint('');
      lastSeq = next.seq;
      form.classList.toggle('choosing', next.answer === 'scale');
      if (next.answer === 'scale') scale.ask(next.seq);
      if (hadFocus) focus();
    },
    show() {
      form.hidden = false;
      grow();
    },
    hide() {
      form.hidden = true;
    },
    isShown: () => !form.hidden,
    focus,
    /** An answer that was not taken goes back into the form, before whatever is there. */
    writeAgain(text) {
      fill([text, textarea.value].filter((part) => part !== '').join('\n'), lastSeq);
      focus();
    },
  };

  function focus() {
    if (form.classList.contains('choosing')) scale.focus();
    else textarea.focus({ preventScroll: true });
  }
}
