/**
 * Whether a text that was read as windows-1252 is one of Western Europe, or the letters of another code page. Each word
 * is judged by itself: one foreign name among thousands must be seen, and the neighbours of a rare word are no help to
 * it. So a sign is only one where no Western word is known to have it. The cost grows with the length of the text.
 */

export function isWestern(text: string): boolean {
  return !BEYOND_ASCII.test(text) || (isPlausible(text) && !DOUBTFUL.some((sign) => sign.test(text)));
}

/** Words as people write them, as opposed to letters of another code page: "Gr§e", "£ukasz", "JŸrgen". */
export function isPlausible(text: string): boolean {
  if (/[\x80-\x9f\ufffd]/.test(text)) return false;
  return text.split(BETWEEN_WORDS).every((word) => !BEYOND_ASCII.test(word) || !(ODD.test(word) || isMixed(word)));
}

/** Includes what joins words to one: "Köln–Bonn" (before a capital: "Mu–oz" is one word), "Büro®", "n°2". */
const BETWEEN_WORDS = /[\s;,|"()/]+|[–—](?=[\p{Lu}\d])|[®™©](?!\p{L})|°(?!\p{L})/u;

const ODD = new RegExp(
  [
    // Inside a word. Signs of ASCII are the same in all code pages; "O´Connor", "Instal·lacions", "L’Oréal" are words.
    /[\p{L}\p{M}](?:(?![’´·\xad])[^\p{L}\p{M}\p{Nd}\p{ASCII}])+[\p{L}\p{M}]/u,
    /(?![$^`´°])[\p{So}\p{Sc}\p{Sk}][\p{L}\p{M}]|[\p{L}\p{M}](?![$^`´])[\p{So}\p{Sc}\p{Sk}]/u,
    // A capital behind another letter, other than in Irish: "hÉireann", "MacÉil".
    /\p{L}(?<!(?<!\p{L})(?:[htn]|Ma?c|Nic)(?=[ÁÉÍÓÚ]))(?![A-Z])\p{Lu}(?!ß)\p{Ll}/u,
    /\p{Ll}(?<!(?<!\p{L})(?:[htn]|Ma?c|Nic)(?=[ÁÉÍÓÚ]))(?![A-Z])\p{Lu}/u,
  ]
    .map(({ source }) => source)
    .join('|'),
  'u',
);

function isMixed(word: string): boolean {
  return SCRIPTS.filter((script) => script.test(word)).length > 1;
}

const SCRIPTS = ['Latin', 'Greek', 'Cyrillic', 'Hebrew', 'Arabic', 'Thai', 'Han', 'Hangul'].map(
  (script) => new RegExp(`\\p{Script=${script}}`, 'u'),
);

export const BEYOND_ASCII = /[^\p{ASCII}]/u;
/** What Western European words do not have, and those of other code pages often: such a reading must be confirmed. */
const DOUBTFUL = [
  /ý/i, // Turkish ı; in Icelandic too, but rare
  // Turkish ğ, ş. Icelandic words have other accents as well, or begin with Guð or Þor, or end with -ður.
  /(?<!\p{L})(?!guð|þor|\p{L}{0,30}(?:rður|eiður|[ðþ]\p{L}{0,30}[áéíóúæ]|[áéíóúæ]\p{L}{0,30}[ðþ]))\p{L}{0,30}[ðþ]/iu,
  /[aeiouáéíóú]ø(?![yksd])|ø\p{L}{0,30}[áèéíìùý]|[bv]øe?l|(?<=[st])tøe|[dp]øe[hjmr]|døich/iu, // Czech ř; Danish and Norwegian ø stands between consonants
  /õ(?!e[sm]?(?!\p{L})|ezinh)/iu, // Portuguese has it in -ões and "põe": Hungarian ő
  // French has it behind vowels, and in brûl-, flû-, bûch-, dû, sûr, mûr, fût, piqûre: Hungarian ű, Latvian ū
  /û(?<!(?:[aeo]|br|fl|cr|q|b(?=ûch)|(?<!\p{L})d|[sm](?=ûr)|f(?=ût))û)/iu,
  /(?<!\p{L})È[aeiouáéíý]/iu, // Catalan and French have it before consonants ("Èric", "Ève"): Czech and Croatian Č
  /[ìù]\p{L}/iu, // they end words: Czech ě, ů
  /(?<=\p{L})ñ(?![aeiouáéíóúü]|ch)/iu, // Spanish has it before vowels, Breton has "Fañch": Polish ń
  /ã(?=[a-df-npqrt-z]|s\p{L})|[bcfgklpvz]ã(?!\p{L})/iu, // Portuguese has ão, ãe, ãs and words like "manhã": Romanian ă
  /ê(?=b\p{L}|[gk]|d(?!o(?!\p{L})))|iê(?!n)|wê|kê(?!r)|(?<=\p{L})zê/iu, // "Azevêdo", "Ciências", "Zêzere", but not these: Polish ę
  /æ(?!\p{L})/iu, // no Danish or Norwegian name ends with it: Croatian, Serbian and Polish ć
  /[aeiouyáéíóú]œ|œ(?!\p{L})|œci|sœs|(?<!\p{L})œ[lmrw]/iu, // French and Alsatian have it behind consonants, or before "n" and "u": Polish ś
  /ç(?=[b-df-hj-np-tv-xz])/i, // comes before vowels: Latvian ē
  /(?<!\p{L})ß/u, // no word begins with it: Russian Я
  /\p{L}[‚„†‡ˆ‰‹˜¡¢£¤¥§]|[†‡ˆ‰]\p{Ll}/u, // nobody writes these right behind a letter: é, ä and others of DOS, ß of old Macs
  /\p{L}”(?<![“„”][^“„”]*\p{L}”)|\p{L}‘(?<![‚‘][^‚‘]*\p{L}‘)/u, // closes a quote that nothing has opened: ö of DOS, ë of old Macs
  /[b-df-hj-np-tv-xz]š(?:[b-df-hj-np-tv-xz]|(?!\p{L}))/iu, // comes beside vowels: ö of old Macs
  // Follows what is left of another word, or comes before what is: í of old Macs
  /(?<=\p{L})(?<!(?<!\p{L})[dlstnmcjo]|qu|ll|un|sant)’(?!h|(?:[stn]|ll|re|ve)(?!\p{L}))\p{Ll}/iu,
  /è(?=[aeiouáéík])|[ao]è(?!\p{L})|(?<!\p{L})ï[aeou]/iu, // comes behind and before consonants, or at the end of a word: Czech and Croatian č
  /[¹²³¾](?=\p{L})|¼(?=[aeiouáéíóú])|\p{L}{2}(?<![cdkm]m)[³¼¾¿]|[áéíóú]¹|(?<!\p{L})¿\p{Ll}|[ªº]\p{Ll}/u, // stand behind words: Polish ł and ą, Slovak ľ, Polish ż, Romanian ş
  /(?:[aeio]|(?<![gq])u)á(?:e|(?!\p{L}))/iu, // "Jaraguá", but hardly a word else has this: ß of DOS
  /[aâêô]ò/iu, // a letter and its tone in Vietnamese
  /(?<!\p{L})[À-ÖØ-öø-ÿªºŠŒŽšœžŸƒˆ‰]{2,}(?!\p{L})/u, // no word is of accented letters alone: Russian and Greek ones are
];
