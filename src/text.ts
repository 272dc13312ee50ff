/**
 * What it is: one rule for text that comes in, whoever typed, pasted or uploaded it.
 * What fails without it: "Büro" composed and "Büro" decomposed look the same and are two names; a zero-width space or a
 *   no-break space makes two of one; a bidi control shows a name backwards.
 * How it works: one kind of space, no characters that nobody can see, except where they shape letters (joiners in Arabic
 *   and Indic scripts, variants of emoji and of Han characters), and then Unicode's composed form (NFC): marks and the
 *   parts of Hangul syllables are composed over what was removed between them. Case is left to PostgreSQL: what is
 *   compared without regard to case is compared by its lower(), never by JavaScript's.
 * What it costs: a test per text; only texts beyond ASCII are rewritten.
 * Its bound: the caller's limit on the length. Its proof: test/text.test.ts.
 */

/** A text of one line, as names have it: any run of spaces, tabs and line breaks becomes one space. Marks alone are nothing. */
export function tidyLine(text: string): string {
  const line = tidyText(text).replace(SPACES, ' ').trim();
  return MARKS_ALONE.test(line) ? '' : line;
}

/** A text that may have several lines and tabs. */
export function tidyText(text: string): string {
  if (PLAIN.test(text)) return text;
  return withoutIdleShapers(text.replace(LINE_ENDS, '\n').replace(INVISIBLE, '').normalize('NFC')).normalize('NFC');
}

/** Printable ASCII, tabs and line feeds. */
const PLAIN = /^[\t\n\x20-\x7e]*$/;
const SPACES = /\s+/g;
const MARKS_ALONE = /^[\p{M} ]+$/u;
/** Next to CRLF and CR: vertical tab, form feed, next line, and Unicode's separators of lines and paragraphs. */
const LINE_ENDS = /\r\n?|[\v\f\x85\u2028\u2029]/g;
/** What may shape letters: joiners, the Mongolian vowel separator, variations and tags. */
const SHAPER = /[\u180e\u200c\u200d]|\p{Variation_Selector}|[\u{e0020}-\u{e007f}]/gu;
/**
 * Controls except tab and line feed, what Unicode says to ignore when it is not supported, what it will never give a
 * meaning, and the blank Braille cell. NUL stays: what brings one is broken, and the database refuses it, in words.
 */
const INVISIBLE = new RegExp(
  String.raw`(?![\t\n\0]|${SHAPER.source})[\p{Cc}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\ufff9-\ufffb\u2800]`,
  'gu',
);

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
const VARIATIONS = /\p{Variation_Selector}/u;
const VARIED = /\p{Ideographic}|\p{Emoji}|\p{Script=Mongolian}|\p{Extended_Pictographic}/u;
/** A flag such as Scotland's is a black flag and invisible letters. */
const TAGGED = /\u{1f3f4}[\u{e0020}-\u{e007f}]*$/u;

/** Whether each of them shapes something is told by what is left before it, and by what comes next: two that follow each other are not two letters. */
function withoutIdleShapers(text: string): string {
  const kept: string[] = [];
  let [before, from] = ['', 0];
  const keep = (piece: string) => {
    kept.push(piece);
    before = (before + piece.slice(-CHARACTERS_BEFORE)).slice(-CHARACTERS_BEFORE);
  };
  for (const { 0: character, index } of text.matchAll(SHAPER)) {
    keep(text.slice(from, index));
    from = index + character.length;
    if (shapes(character, before, text.slice(from, from + 2))) keep(character);
  }
  return kept.length === 0 ? text : kept.join('') + text.slice(from);
}

function shapes(character: string, before: string, after: string): boolean {
  const last = [...before].at(-1) ?? '';
  if (character === SEPARATOR) return /\p{Script=Mongolian}/u.test(last);
  // Marks of all scripts, such as the shadda, are of none.
  if (JOINERS.test(character) && !(JOINED.test(last) || JOINED.test(lastBaseOf(before)))) return false;
  if (character === NON_JOINER) return LETTER_NEXT.test(after);
  if (JOINERS.test(character)) return true;
  if (VARIATIONS.test(character)) return VARIED.test(last);
  return TAGGED.test(before);
}

function lastBaseOf(text: string): string {
  return [...text.replace(/\p{M}+$/u, '')].at(-1) ?? '';
}

const NON_JOINER = '\u200c';
const SEPARATOR = '\u180e';
const LETTER_NEXT = /^(?!\p{Variation_Selector})[\p{L}\p{M}]/u;
const CHARACTERS_BEFORE = 16;
