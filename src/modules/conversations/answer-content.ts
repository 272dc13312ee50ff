/** What counts as an answer: a text in which something can be seen, or a number on the scale. */
import { AppError } from '../../errors.ts';
import { ANSWER_CHARS_MAX, CHOICE_MAX } from './limits.ts';

/**
 * The text as it is stored: composed (NFC), so that two ways to write "é" are the same, and without blanks around it.
 * Throws `invalid` for one that is too long, in which nothing can be seen, or that PostgreSQL cannot store.
 */
export function readAnswerText(given: string): string {
  if (given.includes('\0')) throw new AppError('invalid', 'An answer cannot contain the NUL character.');
  // Half of a surrogate pair, as left by a program that cuts an emoji in two, becomes U+FFFD.
  const text = given.toWellFormed().normalize('NFC').trim();
  if (!VISIBLE.test(given)) throw new AppError('invalid', 'An answer needs at least one character that can be seen.');
  if (text.length > ANSWER_CHARS_MAX) {
    const [max, length] = [ANSWER_CHARS_MAX, text.length].map((chars) => chars.toLocaleString('en'));
    throw new AppError('invalid', `An answer can have at most ${max} characters; this one has ${length}.`);
  }
  return text;
}

/**
 * Neither a blank, a control character, half of a pair, a mark without a letter, nor one of those that are drawn as
 * nothing: zero width space, Hangul filler, the empty Braille pattern.
 */
const VISIBLE = /[^\p{Z}\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** How a number on the scale is shown to people. */
export function bodyOfChoice(choice: number): string {
  return `${choice} of ${CHOICE_MAX}`;
}

/** Evenly from -1 (the lowest) to 1 (the highest). */
export function moodOfChoice(choice: number): number {
  return (2 * (choice - 1)) / (CHOICE_MAX - 1) - 1;
}
