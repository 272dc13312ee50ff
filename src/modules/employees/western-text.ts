/**
 * Whether a text that was read as windows-1252 is one of Western Europe, or the letters of another code page. Its cost
 * grows with the length of the text.
 */

/** `letters`: of the whole file, as far as they are known. */
export function isWestern(text: string, letters: string): boolean {
  if (!BEYOND_ASCII.test(text)) return true;
  const isAlone = ALONE.test(text) && !THEIR_OTHERS.test(letters);
  return isPlausible(text) && !isAlone && !DOUBTFUL.some((sign) => sign.test(text));
}

/** Words as people write them, as opposed to letters of another code page: "Gr§e", "£ukasz", "JŸrgen". */
export function isPlausible(text: string): boolean {
  if (/[\x80-\x9f\ufffd]/.test(text)) return false;
  return text.split(/[\s;,|"()/]+/).every((word) => !BEYOND_ASCII.test(word) || !(ODD.test(word) || isMixed(word)));
}

const ODD =
  /[\p{L}\p{M}][^\p{L}\p{M}\p{Nd}\s'’.@_&:=+-]+[\p{L}\p{M}]|[\p{So}\p{Sc}\p{Sk}][\p{L}\p{M}]|[\p{L}\p{M}][\p{So}\p{Sc}\p{Sk}]|\p{L}(?![A-Z])\p{Lu}\p{Ll}|\p{Ll}(?![A-Z])\p{Lu}/u;

function isMixed(word: string): boolean {
  return SCRIPTS.filter((script) => script.test(word)).length > 1;
}

const SCRIPTS = ['Latin', 'Greek', 'Cyrillic', 'Hebrew', 'Arabic', 'Thai', 'Han', 'Hangul'].map(
  (script) => new RegExp(`\\p{Script=${script}}`, 'u'),
);

export const BEYOND_ASCII = /[^\p{ASCII}]/u;
/** What Western European text hardly has, and other code pages often: a reading with one of these must be confirmed. */
const DOUBTFUL = [
  /[ðþý]/i, // Icelandic; Turkish has ğ, ş and ı in their places
  /^(?=.*ø)(?=.*[áíúìù])/is, // Danish and Norwegian do not have these beside ø: Czech ř
  /^(?=.*ø)(?=.*è)/im, // nor this in one row
  /õ(?!e)/i, // Portuguese has it in ões only: Hungarian ő
  /(?:^|[\s;,"'-])È/i, // no French or Italian word begins with it: Czech and Croatian Č
  /[ìù]\p{L}/iu, // they end words: Czech ě, ů
  /ñ(?![aeiouáéíóú])/i, // Spanish has it before vowels: Polish ń
  /ã(?=[a-df-npqrt-z])|ã(?!\p{L})/iu, // Portuguese has ão, ãe and ãs: Romanian ă
  /ê(?=[bdgk])|[ikwz]ê/i, // French and Portuguese have it between other letters: Polish ę
  /æ(?!\p{L})/iu, // no Danish or Norwegian name ends with it: Croatian, Serbian and Polish ć
  /œ(?![ueitds])/i, // French has œu, œi and a few more: Polish and Czech ś, ť
  /ç(?=[b-df-hj-np-tv-xz])/i, // comes before vowels: Latvian ē
  /(?<!\p{L})ß/u, // no word begins with it: Russian Я
  /\p{L}[‚„†‡ˆ‰‹˜¡¢£¤¥]/u, // nobody writes these right behind a letter: é, ä and others of DOS
  /\p{L}”(?<![“„”][^“„”]*\p{L}”)/u, // closes a quote that nothing has opened: ö of DOS
  /è(?=[aeiouáéík])/i, // comes before one consonant or at the end of a word: Czech and Croatian č
  /[¹²³¼½¾](?=\p{L})|(?<!\p{L})¿\p{Ll}|[ªº]\p{Ll}/u, // stand behind words: Polish ł and ą, Slovak ľ, Polish ż, Romanian ş
  /[aeiou]á(?:e|(?!\p{L}))/iu, // hardly a word has this: ß of DOS
  /(?<!\p{L})(?:[À-ÖØ-öø-ÿ]){2,}(?!\p{L})/u, // no word is of accented letters alone: Russian and Greek ones are
];

/** õ without the other letters of Portuguese, û without those of French: Hungarian ő, ű. */
const ALONE = /[õû]/i;
const THEIR_OTHERS = /[àâãçèêëîïôùœ]/i;
