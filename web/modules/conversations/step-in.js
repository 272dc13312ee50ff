// The form with which somebody of the people team says something in a conversation.

import { el, put } from '/assets/el.js';
import { field, run } from '/assets/parts.js';
import { ANSWER_CHARS_MAX } from './protocol.js';

const TYPING_EVERY_MS = 2_000;

/** @param {{ say(text: string): Promise<void>, typing(): void }} live */
export function stepInForm(live) {
  const text = el('textarea', { id: 'step-in', rows: '2', maxlength: ANSWER_CHARS_MAX, required: true });
  const button = el('button', { class: 'primary' }, 'Send as yourself');
  const fault = el('div');
  let typedAt = 0;
  text.oninput = () => {
    if (Date.now() - typedAt < TYPING_EVERY_MS) return;
    typedAt = Date.now();
    live.typing();
  };
  const onsubmit = (event) => {
    event.preventDefault();
    put(fault);
    run(button, fault, async () => {
      await live.say(text.value);
      text.value = '';
    });
  };
  const hint = 'They read it with your name, between the questions. The question that waits goes on waiting.';
  return el('form', { class: 'card step-in', onsubmit }, field('Step in', text, hint), fault, button);
}
