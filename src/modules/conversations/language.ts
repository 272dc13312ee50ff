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
  const counts = { english: 0, foreign: 0, shared: 0, falseFriend: 0, international: 0, unknown: 0 };
  const words = text.normalize('NFC').toLowerCase().replaceAll('’', "'").matchAll(WORD);
  for (const [, hash, word = ''] of words) {
    const kind = kindOf(word, scored);
    if (kind !== 'unknown') counts[kind]++;
    else if (hash === '') counts.unknown += ACCENT.test(word) ? ACCENT_WEIGHT : 1; // an unknown hashtag is a name
  }
  const { english, foreign, shared, falseFriend, international, unknown } = counts;
  const against = foreign + falseFriend + unknown;
  if (against + english === 0) return international > 0 && shared === 0;
  // A foreign word weighs more than an unknown one, which may be a name; beside English words, "is" and "was" are English.
  const beside = foreign === 0 ? (shared + international) / 2 : international / 2;
  return english > 2 * foreign && english + beside >= against;
}

/** Letters of any script, so that a word in another one is an unknown word. */
const WORD = /(#?)_*(\p{L}[\p{L}\p{M}']*)/gu;

/** English words hardly have any, names do. */
const ACCENT = /[^a-z']/;
const ACCENT_WEIGHT = 1.5;

function kindOf(word: string, scored: (word: string) => boolean): keyof typeof WORDS | 'unknown' {
  if (WORDS.shared.has(word)) return 'shared';
  if (WORDS.falseFriend.has(word)) return 'falseFriend';
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
