/**
 * What it is: whether a text is English, the one language that the scorer knows.
 * What fails without it: "Die Woche war gut" counts as bad, because "die" and "war" are bad words in English.
 * How it works: every word is English (the scorer's list, and a list of common words), foreign, shared by languages, or
 *   unknown. A text is English when its English words outnumber the foreign ones and are at least as many as those of no
 *   known language. When in doubt it is not: an answer without a score leaves the mood as it is, a wrong one bends it.
 * What it costs: the lists, under 1 MB; tinyld took 56 MB more and missed a third of the short English answers
 *   ("Great week", "I am tired"), franc-min two thirds.
 * Its bound: SCORED_WORD_CHARS_MAX. Its proof: test/modules/conversations/language.test.ts.
 */
import { WORDS } from './english-words.ts';

/** `scored` says whether the scorer has a word. */
export function isEnglish(text: string, scored: (word: string) => boolean): boolean {
  const counts = { english: 0, foreign: 0, shared: 0, international: 0, unknown: 0 };
  for (const [word] of text.normalize('NFC').toLowerCase().replaceAll('’', "'").matchAll(WORD)) {
    counts[kindOf(word, scored)]++;
  }
  const { english, foreign, shared, international, unknown } = counts;
  if (foreign + unknown + english === 0) return international > 0 && shared === 0;
  // A foreign word weighs more than an unknown one, which may be a name.
  return english > 2 * foreign && english + international / 2 >= unknown + foreign && english > 0;
}

/** Letters of any script, so that a word in another one is an unknown word. */
const WORD = /\p{L}[\p{L}\p{M}']*/gu;

function kindOf(word: string, scored: (word: string) => boolean): keyof typeof WORDS | 'unknown' {
  if (WORDS.shared.has(word)) return 'shared';
  if (WORDS.foreign.has(word)) return 'foreign';
  if (WORDS.international.has(word)) return 'international';
  if (WORDS.english.has(word) || scored(word)) return 'english';
  for (const [ending, base] of ENDINGS) {
    if (!word.endsWith(ending)) continue;
    const stem = word.slice(0, -ending.length).replace(/([bdgmnprt])\1$/, '$1');
    if (stem.length > 2 && (WORDS.english.has(stem + base) || scored(stem + base))) return 'english';
  }
  return 'unknown';
}

/** English inflections, and what to put in the place of each. */
const ENDINGS = [
  ...[["'s", ''] as const, ['s', ''] as const, ['es', ''] as const, ['ies', 'y'] as const],
  ...[['ed', ''] as const, ['ed', 'e'] as const, ['ing', ''] as const, ['ing', 'e'] as const],
  ...[['ly', ''] as const, ['er', ''] as const, ['er', 'e'] as const, ['est', ''] as const, ['ness', ''] as const],
] as const;
