import winkSentiment from 'wink-sentiment';
import englishWords from 'wink-sentiment/src/afinn-en-165.js';
import pairs from 'wink-sentiment/src/afinn-en-165-2grams.js';
import emojis from 'wink-sentiment/src/emojis.js';
import emoticons from 'wink-sentiment/src/emoticons.js';
import negations from 'wink-sentiment/src/negations.js';
import contractions from 'wink-tokenizer/src/eng-contractions.js';
import { isEnglish } from './language.ts';
import { SCORED_WORD_CHARS_MAX } from './limits.ts';

/**
 * From -1 (bad) to 1 (good), 0 is neutral; null for a text in another language than English, or without anything that
 * the scorer can read. AFINN word list with negation and emoji, through wink-sentiment, which gives about -5 to 5 per
 * scored word. wink-nlp gives similar scores but took 104 MB more memory, where this takes 20 (5,000 sentences, one
 * process each).
 */
export function scoreText(text: string): number | null {
  const readable = readableOf(text);
  const hasWords = /\p{L}/u.test(readable);
  if (hasWords && !isEnglish(readable, isScored)) return null;
  const { score, normalizedScore } = winkSentiment(readable);
  if (!hasWords && score === 0) return null; // numbers, punctuation, an emoji that says nothing
  const sentiment = Math.max(-1, Math.min(1, Math.round((normalizedScore / 5) * 1000) / 1000));
  return Number.isFinite(sentiment) ? sentiment : null;
}

/**
 * Without what the scorer ignores but takes its time over: runs of characters that are too long for a word, and digits
 * (not those of a heart, <3). Emoji are often written without blanks in between, so a run of them stays.
 */
function readableOf(text: string): string {
  return text.replace(LONG_RUN, ' ').replace(NUMBER, ' ').replace(SKIN_TONE, '').replace(PLAIN_SYMBOL, `$&${SELECTOR}`);
}

const LONG_RUN = new RegExp(`[^\\s\\p{Extended_Pictographic}]{${SCORED_WORD_CHARS_MAX + 1},}`, 'gu');
/** The list has 👍 and not 👍🏽. */
const SKIN_TONE = /\p{Emoji_Modifier}/gu;
/** ❤ and ✌ are emoji only with the selector that phones write behind them; without it the tokenizer does not see them. */
const PLAIN_SYMBOL = /(?!\p{Emoji_Presentation})\p{Extended_Pictographic}(?!\ufe0f)/gu;
const SELECTOR = '\ufe0f';
const NUMBER = /(?<!<)\p{N}+/gu;

function isScored(word: string): boolean {
  return englishWords[word] !== undefined;
}

// The scorer looks words up in plain objects, which answer "constructor" with what they inherit: with a function in
// place of a number the score becomes NaN.
for (const list of [pairs, englishWords, emojis, emoticons, negations, contractions]) forgetInherited(list);

// The list has them without the selector, and the tokenizer finds them with it.
Object.assign(emojis, Object.fromEntries(Object.entries(emojis).map(([emoji, score]) => [emoji + SELECTOR, score])));

function forgetInherited(list: Readonly<Record<string, unknown>>): void {
  Object.setPrototypeOf(list, null);
  if (list === pairs) for (const next of Object.values(pairs)) Object.setPrototypeOf(next, null);
}
