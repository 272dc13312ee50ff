/** What a cell says, without what programs put around a text; or why it does not say what somebody meant. */
import { textOfCell } from '../../http/csv-reply.ts';
import { tidyLine } from '../../text.ts';

/** Its spaces and characters as they are: in an address those that nobody sees are refused. */
export function rawTextIn(cell: string): string {
  const text = unwrap(cell).trim().replace(APOSTROPHE_BEFORE_ADDRESS, '');
  return NOTHING.test(text) ? '' : text;
}

/** One line. Empty for what programs and people write where there is nothing. */
export function textIn(cell: string): string {
  const text = tidyLine(unwrap(cell)).replace(ADDRESS_BEHIND, '');
  return NOTHING.test(text) ? '' : text;
}

/** As `textIn`. No team is called null or none, which people may be. */
export function teamIn(cell: string): string {
  const team = textIn(cell);
  return /^(?:null|none|nan|nil)$/i.test(team) ? '' : team;
}

/** Completes a sentence: "line 3 …". Undefined for a text. Of long ones its cost grows with the square of their length. */
export function faultIn(text: string): string | undefined {
  const [error] = SHEET_ERROR.exec(text) ?? [];
  if (error !== undefined) return `has an error of the spreadsheet in it: "${error}"`;
  const [code] = CODED.exec(text) ?? [];
  if (code !== undefined) return `contains "${code}": the program that exported it wrote a code instead of a character`;
  const [lost] = LOST_LETTER.exec(text) ?? [];
  return (
    lost && `contains a question mark inside a word ("${lost}"): the program that exported it has lost a letter there`
  );
}

/** `"Ada" ` with a space after the quotes reaches us with them, and so do quotes that CSV does not have. */
function unwrap(cell: string): string {
  const ours = textOfCell(cell);
  if (ours !== cell) return ours;
  const text = cell.trim();
  // ="Ada": so that Excel takes the cell for a text, whatever is in it.
  const formula = /^="(.*)"$/s.exec(text)?.[1];
  if (formula !== undefined) return formula.replaceAll('""', '"');
  if (/^"[^"]*"$/.test(text)) return text.slice(1, -1);
  // "Ada \"Ace\" Lovelace": how programs that know CSV from hearsay write a quote in a text.
  if (/^"(?:[^"\\]|\\.)*"$/s.test(text)) return text.slice(1, -1).replace(/\\(["\\])/g, '$1');
  const [open = '', close] = [text[0], text.at(-1)];
  return text.length > 2 && QUOTES[open]?.includes(close as string) === true ? text.slice(1, -1) : cell;
}

const QUOTES: Readonly<Record<string, string>> = {
  "'": "'",
  '“': '”',
  '„': '“”',
  '«': '»',
  '»': '«',
  '‘': '’',
  '‚': '‘’',
};

/** `Ada Lovelace <ada@example.com>`, `Ada Lovelace (ada@example.com)`: how mail programs show people. */
const ADDRESS_BEHIND = /(?<=\S) ?[<([][^\s<>()[\]@]+@[^\s<>()[\]@]+[>)\]]$/;

/** With which spreadsheets make a cell a text. Of names it may be the first letter ('t Hooft), of addresses never. */
const APOSTROPHE_BEFORE_ADDRESS = /^['‘’]/;

/** Of databases (NULL, \N), programs, spreadsheets and people. In capitals, because Null is a name and Na is one. */
const NOTHING =
  /^(?:[-–—_.]+|\(null\)|\[NULL\]|<NULL>|<NA>|\\N|NULL(?: NULL)?|NaN|undefined|\[object Object\]|[nN]\/[aA]|k\.\s?A\.)$/;

/**
 * A lookup that found nothing, in the language of its Excel: with a mark (#BEZUG!, #NOM?, #DIV/0!), and those that have
 * none. LibreOffice has numbers (Err:502).
 */
const SHEET_ERROR =
  /^(?:#(?:[¡¿]?[\p{Lu}\d/]+[!?]|NV|N\/[AD]|Н\/Д|BRAK|YOK|HIÁNYZIK|GETTING_DATA)|(?:Err|Fehler|Erreur|Errore|Erro|Fout|Fel|Błąd|Chyba|Hiba|Ошибка) ?:5\d\d)$/u;

/** HTML, JSON, MIME, quoted-printable and percent-encoding. */
const CODED =
  /&(?:#\d{2,7}|#x[\da-f]{2,6}|[a-z]{2,8}\d{0,2});|\\u[\da-f]{4}|=\?[\w-]+\?[bq]\?|(?:=[\dA-F]{2}){2,}|(?:%[\dA-F]{2}){2,}/iu;

const LOST_LETTER = /\p{L}+\?\p{L}+|(?<!\S)\?\p{L}+|\?{2,}/u;
