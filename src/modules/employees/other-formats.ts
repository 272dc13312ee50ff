/** What people send instead of a CSV file, told by its beginning. */
import { AppError } from '../../errors.ts';

const KNOWN_FILES: readonly [magic: string, format: string][] = [
  ['89504e47', 'a PNG picture'],
  ['ffd8ff', 'a JPEG picture'],
  ['47494638', 'a GIF picture'],
  ['25504446', 'a PDF document'],
  ['504b0304', 'an Excel workbook or another ZIP file'],
  ['d0cf11e0', 'an old Excel workbook'],
  ['1f8b', 'a gzip file'],
];

/** Many systems name a web page .xls or .csv, and Excel opens it. */
const KNOWN_TEXTS: readonly [beginning: RegExp, format: string][] = [
  [/^\s*<(?:!--|(?:!doctype|html|head|meta|style|body|table)\b)/i, 'HTML'],
  [/^\s*<(?:\?xml|workbook)\b/i, 'XML'],
  [/^\s*(?:(?:\[\s*)?\{|\[\s*\[)\s*"/, 'JSON'],
  [/^\s*BEGIN:VCARD/i, 'a vCard'],
  [/^\{\\rtf/, 'a Rich Text document'],
];

export function refuseKnownFiles(head: Buffer): void {
  const known = KNOWN_FILES.find(([magic]) => head.toString('hex', 0, magic.length / 2) === magic);
  if (known !== undefined) throw otherFormat(known[1]);
}

export function refuseKnownTexts(text: string): void {
  const known = KNOWN_TEXTS.find(([beginning]) => beginning.test(text));
  if (known !== undefined) throw otherFormat(known[1]);
}

function otherFormat(format: string): AppError {
  return new AppError('unsupported', `This is ${format}, not a CSV file. ${SAVE_AS}`);
}

/** UTF-16 has many zeros, but no NUL characters. Some in a long text are a fault of their rows. */
export function refuseBinary(text: string): void {
  const zeros = text.split('\0').length - 1;
  if (zeros > text.length / CHARACTERS_PER_NUL_MIN)
    throw new AppError('unsupported', `This is a binary file, not a CSV file: it has NUL characters in it. ${SAVE_AS}`);
}

const CHARACTERS_PER_NUL_MIN = 1_000;
const SAVE_AS = 'Save the table as CSV and send that instead. Nothing was imported.';
