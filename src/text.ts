/**
 * What it is: one rule for text that comes in, whoever typed, pasted or uploaded it.
 * What fails without it: "Büro" composed and "Büro" decomposed look the same and are two names; a zero-width space or a
 *   no-break space makes two of one; a bidi control shows a name backwards.
 * How it works: Unicode's composed form (NFC), one kind of space, no characters that nobody can see, except where they
 *   shape letters (joiners in Arabic and Indic scripts, variants of emoji and of Han characters). Case is left to
 *   PostgreSQL: what is compared without regard to case is compared by its lower(), never by JavaScript's.
 * What it costs: a test per text; only texts beyond ASCII are rewritten.
 * Its bound: the caller's limit on the length. Its proof: test/text.test.ts.
 */

/** A text of one line, as names have it: any run of spaces, tabs and line breaks becomes one space. */
export function tidyLine(text: string): string {
  return tidyText(text).replace(SPACES, ' ').trim();
}

/** A text that may have several lines and tabs. */
export function tidyText(text: string): string {
  if (PLAIN.test(text)) return text;
  return text
    .normalize('NFC')
    .replace(LINE_ENDS, '\n')
    .replace(INVISIBLE, (character, at: number, whole: string) => (shapes(character, at, whole) ? character : ''));
}

/** Printable ASCII, tabs and line feeds. */
const PLAIN = /^[\t\n\x20-\x7e]*$/;
const SPACES = /\s+/g;
/** Next to CRLF and CR: vertical tab, form feed, next line, and Unicode's separators of lines and paragraphs. */
const LINE_ENDS = /\r\n?|[\v\f\x85\u2028\u2029]/g;
/** Controls except tab and line feed, what Unicode says to ignore when it is not supported, what it will never give a meaning, and the blank Braille cell. */
const INVISIBLE = /(?![\t\n])[\p{Cc}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\ufff9-\ufffb\u2800]/gu;

const JOINERS = /[\u200c\u200d]/;
const JOINED_SCRIPTS = [
  ...['Arabic', 'Syriac', 'Mongolian', 'Devanagari', 'Bengali', 'Gurmukhi', 'Gujarati', 'Oriya', 'Tamil', 'Telugu'],
  ...['Kannada', 'Malayalam', 'Sinhala', 'Myanmar', 'Khmer'],
];
const JOINED = new RegExp(
  [...JOINED_SCRIPTS.map((script) => `Script=${script}`), 'Extended_Pictographic', 'Emoji_Modifier']
    .map((property) => `\\p{${property}}`)
    .join('|')
    .concat('|\\ufe0f'),
  'u',
);
const VARIATIONS = /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}\u180b-\u180d]/u;
const VARIED = /\p{Ideographic}|\p{Emoji}|\p{Script=Mongolian}|\p{Extended_Pictographic}/u;
/** A flag such as Scotland's is a black flag and invisible letters. */
const TAGS = /[\u{e0020}-\u{e007f}]/u;
const TAGGED = /\u{1f3f4}[\u{e0020}-\u{e007f}]*$/u;

function shapes(character: string, at: number, whole: string): boolean {
  if (character === '\0') return true; // what brings one is broken: the database refuses it, in words
  const before = whole.slice(Math.max(0, at - CHARACTERS_BEFORE), at);
  const last = [...before].at(-1) ?? '';
  if (JOINERS.test(character)) return JOINED.test(last);
  if (VARIATIONS.test(character)) return VARIED.test(last);
  return TAGS.test(character) && TAGGED.test(before);
}

const CHARACTERS_BEFORE = 16;
