/** What counts as an answer: a text in which something can be seen, or a number on the scale. */
import { cleanText, countChars, isVisible } from '../../../web/modules/conversations/protocol.js';
import { AppError } from '../../errors.ts';
import { tidyText } from '../../text.ts';
import { ANSWER_CHARS_MAX, CHOICE_MAX } from './limits.ts';

/**
 * The text as it is stored: by the rule of all text that comes in (src/text.ts), and without blanks around it.
 * Throws `invalid` for one that is too long, in which nothing can be seen, or that PostgreSQL cannot store.
 */
export function readAnswerText(given: string): string {
  if (given.includes('\0')) throw new AppError('invalid', 'An answer cannot contain the NUL character.');
  const text = tidyText(cleanText(given)).trim();
  if (!isVisible(given)) throw new AppError('invalid', 'An answer needs at least one character that can be seen.');
  const chars = countChars(text);
  if (chars > ANSWER_CHARS_MAX) {
    const [most, found] = [ANSWER_CHARS_MAX, chars].map((count) => count.toLocaleString('en'));
    throw new AppError('invalid', `An answer can have at most ${most} characters; this one has ${found}.`);
  }
  return text;
}

/** How a number on the scale is shown to people. */
export function bodyOfChoice(choice: number): string {
  return `${choice} of ${CHOICE_MAX}`;
}

/** Evenly from -1 (the lowest) to 1 (the highest). */
export function moodOfChoice(choice: number): number {
  return (2 * (choice - 1)) / (CHOICE_MAX - 1) - 1;
}
