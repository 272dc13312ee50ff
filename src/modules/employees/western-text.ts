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
  /[áéíóú]ø|aø(?!y)|[io]ø(?![yksd])|[eu]ø(?![yksd]|e[nr])|ø\p{L}{0,30}[áèéíìùý]|[bv]øel|bøe[ctz]|bøeh|pøe|[bpr]øi|høi?[bš]|kø(?:i[vž]|em|ov)|tøe[bmš]|bøa|køes|(?<!\p{L})øeh|[hv]øi[mn]|ystøi|(?<=[st])tøe|døe[hj]|døi[chš]/iu, // Czech ř; Danish and Norwegian ø stands between consonants
  /õ(?!e[sm]?(?!\p{L})|ezinh)/iu, // Portuguese has it in -ões and "põe": Hungarian ő
  // French has it behind vowels, and in brûl-, flû-, bûch-, dû, sûr, mûr, fût, piqûre: Hungarian ű, Latvian ū
  /û(?<!(?:[aeo]|br|fl|cr|q|b(?=ûch)|h(?=ûs)|(?<!\p{L})d|[sm](?=ûr)|f(?=ût))û)/iu,
  /(?<!\p{L})È(?:[aeiouáéíý]|t[vy]|mel)/iu, // Catalan and French have it before consonants ("Èric", "Ève"): Czech and Croatian Č
  /[ìù]\p{L}|[kv]ù|[áéíóúý]\p{L}{0,30}[ìù]|[yý]nì|štì/iu, // they end words of Italian, which has no á: Czech ě, ů
  /(?<=\p{L})ñ(?![aeiouáéíóúü]|ch)/iu, // Spanish has it before vowels, Breton has "Fañch": Polish ń
  /ã(?=[a-df-npqrt-z]|s\p{L})|[bcfgklpvz]ã(?!\p{L})|ouã/iu, // Portuguese has ão, ãe, ãs and words like "manhã": Romanian ă
  /ê(?=b\p{L}|[gk]|d(?![ao](?!\p{L}))|c[iz]|s[kz]|pn)|iê(?![mn]|t(?!\p{L}))|jê|[cs]ê(?=pop)|wê|kê(?!r)|(?<=\p{L})zê/iu, // "Azevêdo", "Ciências", "Zêzere", but not these: Polish ę
  /[aeouš]æ|iæ(?!r)|(?<!\p{L})æ[aeiou]/iu, // Danish and Norwegian have it behind and before consonants: Croatian, Serbian and Polish ć
  /[aeiouyáéíóú]œ|œ(?!\p{L})|œci|jœ|sœs|pœ[bl]|mœs|(?<!\p{L})œ[lmrw]/iu, // French and Alsatian have it behind consonants, or before "n" and "u": Polish ś
  /ç(?=[b-df-hj-np-tv-xz])/i, // comes before vowels: Latvian ē
  /(?<!\p{L})ß/u, // no word begins with it: Russian Я
  /\p{L}[‚„†‡ˆ‰‹˜¡¢£¤¥§]|[†‡ˆ‰]\p{Ll}/u, // nobody writes these right behind a letter: é, ä and others of DOS, ß of old Macs
  /\p{L}”(?<![“„”][^“„”]*\p{L}”)|\p{L}‘(?<![‚‘][^‚‘]*\p{L}‘)/u, // closes a quote that nothing has opened: ö of DOS, ë of old Macs
  /[b-df-hj-np-tv-xz]š(?:[b-df-hj-np-tv-xz]|(?!\p{L}))/iu, // comes beside vowels: ö of old Macs
  // Follows what is left of another word, or comes before what is: í of old Macs
  /(?<=\p{L})(?<!(?<!\p{L})[dlstnmcjo]|qu|ll|un|sant)’(?!h|n’|(?:[st]|ll|re|ve)(?!\p{L}))\p{Ll}/iu,
  /è(?=[aeiouáéík])|[aáeéíóúý]è|[vt]iè(?!\p{L})|è[ns]k|èn[áéíý]|(?<!\p{L})ï[aeou]|ïá|[žz]ï|uïk|eï(?!\p{L})/iu, // comes behind and before consonants, or at the end of a word: Czech and Croatian č
  /[¹²³¾](?=\p{L})|¼(?=[aeiouáéíóú])|\p{L}{2}(?<![cdkm]m)[³¼¾¿]|\p{L}{2}¹|(?<!\p{L})¿\p{Ll}|[ªº]\p{Ll}/u, // stand behind words: Polish ł and ą, Slovak ľ, Polish ż, Romanian ş
  /(?:[aei]|(?<!l)o|(?<![gq])u)á(?:e|(?!\p{L}))/iu, // "Jaraguá", but hardly a word else has this: ß of DOS
  /[aouyáéíóúýâêô]ò|ò(?:[aáeéoóuúík]|sk|ce)|eò(?!\p{L})/iu, // Italian and Catalan have it behind and before consonants: Czech ň, Vietnamese tones
  /în[ae](?!\p{L})|[drstv]îte(?!\p{L})|î(?:d[ae]|g[ae]|lij|v|z)|â(?:r[abst]|lij)/iu, // French and Portuguese hardly have these: Latvian ī, ā
  /[¢-¦¨ª-¯]{2}|[€„†‡ŠŽ‘”][¢-¦¨ª-¯]|ƒ/u, // signs that do not come together: Russian of DOS; É of old Macs
  /(?<!\p{L})[À-ÖØ-öø-ÿªºŠŒŽšœžŸƒˆ‰]{2,}(?!\p{L})/u, // no word is of accented letters alone: Russian and Greek ones are
];
