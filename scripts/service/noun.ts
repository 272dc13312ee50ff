/** The forms of a noun in code, and the template's text with another noun. */

export interface Noun {
  /** `invoices`: folders, tables, routes. */
  readonly plural: string;
  /** `invoice`: one of them. */
  readonly singular: string;
}

const CHARS_MAX = 40;

/** Throws, with advice, if the name cannot be used as a folder, a table and a TypeScript identifier. */
export function nounOf(plural: string, singular = singularOf(plural)): Noun {
  for (const word of [plural, singular]) {
    if (!/^[a-z]+$/.test(word) || word.length > CHARS_MAX)
      throw new Error(
        `"${word}" cannot be a module's name: use one lower-case English word in the plural, of at most ${CHARS_MAX} letters.`,
      );
    if (RESERVED.has(word))
      throw new Error(`"${word}" is a reserved word of SQL or TypeScript. Choose another name, or another --singular.`);
  }
  if (plural === singular)
    throw new Error(
      `What is the singular of ${plural}? Pass it with --singular, for example: npm run new:module -- people --singular=person.`,
    );
  return { plural, singular };
}

function singularOf(plural: string): string {
  if (/ies$/.test(plural)) return plural.replace(/ies$/, 'y');
  if (/(?:ss|sh|ch|x|z)es$/.test(plural)) return plural.replace(/es$/, '');
  return plural.replace(/s$/, '');
}

/** Only words that someone might plausibly try: a complete list would refuse more than necessary. */
const RESERVED = new Set(
  'all and any as case class const default delete do else enum export false for from function group grant if import in index interface key let like limit new not null of on only or order package private protected public references return select set static super switch table then this throw to true type union user users using values var void where with work yield notes note'.split(
    ' ',
  ),
);

const TEMPLATE: Noun = { plural: 'notes', singular: 'note' };

/** `a note` to `an invoice`, `Notes` to `Invoices`, `NOTES_MAX` to `INVOICES_MAX`, `noteById` to `invoiceById`. */
export function inNoun(text: string, noun: Noun): string {
  const article = /^[aeiou]/.test(noun.singular) ? 'n' : '';
  const withArticle = text.replace(/\b([Aa]) (?=note\b)/g, `$1${article} `);
  return [TEMPLATE.plural, TEMPLATE.singular].reduce((before, word) => {
    const by = word === TEMPLATE.plural ? noun.plural : noun.singular;
    return before
      .replaceAll(capital(word), capital(by))
      .replaceAll(word.toUpperCase(), by.toUpperCase())
      .replaceAll(word, by);
  }, withArticle);
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
