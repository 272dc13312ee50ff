/**
 * Which encoding a file is in. UTF-8 and UTF-16 can be proved; old code pages can only be guessed, and a wrong guess
 * writes wrong names without a word. So a guess is acted upon only where it is as good as sure, which is text with
 * nothing in it but Western European words (western-text.ts); any other is for a person to confirm.
 *
 * What that person is offered are jschardet's guesses (chosen over chardet and encoding-japanese: with single names in 18 code pages its first
 * guess was right for 59 of 67, chardet's for fewer than half). It is loaded when the first such file arrives, because
 * its tables take 18 MB. It has no say in what is Western: of "José Muñoz" alone it would make Polish.
 */
import { isUtf8 } from 'node:buffer';
import { AppError } from '../../errors.ts';
import { IMPORT_GUESS_BYTES, IMPORT_PREVIEW_DOUBTFUL_LINES, IMPORT_SNIFF_BYTES } from './limits.ts';
import { BEYOND_ASCII, isPlausible, isWestern } from './western-text.ts';

export interface FoundEncoding {
  readonly encoding: string;
  /** How it is known. `guess` is the only one that can be wrong. */
  readonly by: 'choice' | 'byte order mark' | 'Content-Type' | 'its bytes' | 'guess';
  /** False: a person must confirm it. */
  readonly sure: boolean;
  /** Others that are possible, the likeliest first. */
  readonly others: readonly string[];
  /** The first line that speaks against windows-1252, and what of it does, as that would read it. */
  readonly odd?: { readonly line: number; readonly text: string } | undefined;
}

/** False where a row contradicts the guess that was made from the beginning of its file. */
export function agreesWith({ by, sure }: FoundEncoding, text: string): boolean {
  return by !== 'guess' || !sure || isWestern(text);
}

/** Throws when the file is in no encoding that can be read, or not in the one that its Content-Type names. */
export async function encodingOf(
  head: Buffer,
  { encoding, charset }: { encoding?: string | undefined; charset?: string | undefined },
): Promise<FoundEncoding> {
  if (encoding !== undefined) return { encoding: knownEncoding(encoding), by: 'choice', sure: true, others: [] };
  const marked = byMark(head);
  if (marked !== undefined) return { encoding: marked, by: 'byte order mark', sure: true, others: [] };
  const utf8 = countUtf8(head);
  if (charset !== undefined && !/^(us-)?ascii$/i.test(charset)) return byContentType(head, charset, utf8);
  const wide = byZeros(head);
  if (wide !== undefined) return { encoding: wide, by: 'its bytes', sure: true, others: [] };
  if (utf8.bad === 0 && !head.includes(SHIFT_IN_JAPANESE))
    return { encoding: 'utf-8', by: 'its bytes', sure: true, others: [] };
  // A file that is mostly UTF-8 stays so: its other rows are rejected one by one instead of spoiling the good ones.
  if (utf8.good > utf8.bad) return { encoding: 'utf-8', by: 'its bytes', sure: true, others: [WESTERN] };
  return guess(head);
}

/**
 * The first lines that windows-1252 is doubtful for, as `encoding` reads them: whether it is right can be seen there, and
 * they may be far down. None of a file in Unicode.
 */
export function doubtfulLines(head: Buffer, encoding: string): { line: number; text: string }[] {
  if (encoding.startsWith('utf-')) return [];
  const decoder = new TextDecoder(encoding);
  return oddLines(tellingLines(head), IMPORT_PREVIEW_DOUBTFUL_LINES).map(({ line, bytes }) => ({
    line,
    text: decoder.decode(Buffer.from(bytes, 'latin1')),
  }));
}

/** The encodings that a person can choose from. */
export const ENCODINGS: readonly string[] = [
  ...['utf-8', 'windows-1252', 'windows-1250', 'windows-1251', 'windows-1253', 'windows-1254', 'windows-1255'],
  ...['windows-1256', 'windows-1257', 'windows-1258', 'iso-8859-2', 'iso-8859-15', 'macintosh', 'x-mac-cyrillic'],
  ...['koi8-r', 'koi8-u', 'ibm866', 'windows-874', 'shift_jis', 'euc-jp', 'iso-2022-jp', 'gb18030', 'big5', 'euc-kr'],
  ...['utf-16le', 'utf-16be'],
];

function knownEncoding(label: string): string {
  try {
    return new TextDecoder(label.trim()).encoding;
  } catch {
    throw new AppError(
      'unsupported',
      `${JSON.stringify(label.slice(0, 40))} is not an encoding that can be read. Save the table as “CSV UTF-8” and send that instead. Nothing was imported.`,
    );
  }
}

function byMark(head: Buffer): string | undefined {
  const mark = head.toString('hex', 0, 4);
  if (mark.startsWith('efbbbf')) return 'utf-8';
  if (mark === 'fffe0000' || mark === '0000feff')
    throw new AppError('unsupported', `The file is UTF-32. ${SAVE_AS_UTF8}`);
  if (mark.startsWith('fffe')) return 'utf-16le';
  return mark.startsWith('feff') ? 'utf-16be' : undefined;
}

function byContentType(head: Buffer, charset: string, utf8: { good: number; bad: number }): FoundEncoding {
  const named = knownEncoding(charset);
  const isWide = named.startsWith('utf-16');
  const contradicts = named !== 'utf-8' && utf8.bad === 0 && (utf8.good > 0 || (isWide && !head.includes(0)));
  if (contradicts)
    throw new AppError(
      'invalid',
      `The Content-Type says ${named}, but the file is UTF-8. Correct the Content-Type, or add encoding=${named} or encoding=utf-8 to the address. Nothing was imported.`,
    );
  const encoding = isWide ? (byZeros(head) ?? named) : named;
  return { encoding, by: 'Content-Type', sure: true, others: [] };
}

/** UTF-16 without a byte order mark: every other byte of what is ASCII is zero. */
function byZeros(head: Buffer): string | undefined {
  let [even, odd] = [0, 0];
  for (let i = 0; i < head.length; i++) {
    if (head[i] !== 0) continue;
    if (i % 2 === 0) even++;
    else odd++;
  }
  const many = head.length * UTF16_ZEROS_SHARE_MIN;
  if (odd > many && even < odd * OTHER_ZEROS_SHARE_MAX) return 'utf-16le';
  return even > many && odd < even * OTHER_ZEROS_SHARE_MAX ? 'utf-16be' : undefined;
}

/** How many sequences of bytes beyond ASCII are UTF-8, and how many are not. */
export function countUtf8(head: Buffer): { good: number; bad: number } {
  let [good, bad, i] = [0, 0, 0];
  while (i < head.length) {
    const lead = head[i] as number;
    if (lead < 0x80) {
      i++;
      continue;
    }
    const length = lead >= 0xf0 && lead <= 0xf4 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
    const sequence = head.subarray(i, i + length);
    if (i + length > head.length && length > 0 && continues(sequence)) break; // the head ends inside a character
    if (length > 0 && lead <= 0xf4 && sequence.length === length && continues(sequence) && isUtf8(sequence)) {
      good++;
      i += length;
    } else {
      bad++;
      i++;
    }
  }
  return { good, bad };
}

function continues(sequence: Buffer): boolean {
  return sequence.subarray(1).every((byte) => (byte & 0xc0) === 0x80);
}

async function guess(head: Buffer): Promise<FoundEncoding> {
  const lines = tellingLines(head);
  if (!head.includes(ESCAPE) && isWestern(lines.map(asWestern).join('\n')))
    return { encoding: WESTERN, by: 'guess', sure: true, others: [] };
  const odd = oddLines(lines);
  const telling = cutToSize([...new Set([...odd, ...lines])].map(({ bytes }) => bytes));
  const { detectAll } = await import('jschardet');
  const candidates: { encoding: string; text: string; confidence: number }[] = [];
  for (const { encoding, confidence } of detectAll(telling, { detectEncodings: GUESSED })) {
    const decoder = decoderOf(encoding);
    if (decoder === undefined) continue;
    const text = decoder.decode(telling);
    if (candidates.some((one) => one.text === text) || !isPlausible(text)) continue;
    candidates.push({ encoding: decoder.encoding, text, confidence });
  }
  const read = WESTERN_DECODER.decode(telling);
  const guesses = candidates.map(({ encoding, text }) => (text === read ? WESTERN : encoding));
  // Most files are Western: a word that looks foreign must not leave only wrong readings to choose from.
  if (!guesses.includes(WESTERN)) guesses.splice(1, 0, WESTERN);
  const [encoding = WESTERN, ...others] = guesses;
  return {
    encoding,
    by: 'guess',
    sure: false,
    others: others.slice(0, OTHERS_MAX),
    odd: odd[0] && { line: odd[0].line, text: oddPartOf(asWestern(odd[0])) },
  };
}

/** Bytes as Latin-1. */
interface Line {
  readonly line: number;
  readonly bytes: string;
}

/** The lines that are not ASCII: the others would only dilute them. One that is UTF-8 came from another file. */
function tellingLines(head: Buffer): Line[] {
  const lines = head
    .toString('latin1')
    .split(/\r\n|\r|\n/)
    .map((bytes, before) => ({ line: before + 1, bytes }));
  const whole = head.length < IMPORT_SNIFF_BYTES ? lines : lines.slice(0, -1); // the last one may be cut off
  const isTelling = ({ bytes }: Line) => BEYOND_ASCII.test(bytes) && !isUtf8(Buffer.from(bytes, 'latin1'));
  return whole.filter((line) => isTelling(line) || line.bytes.includes(ESCAPE));
}

/** The first of them, because judging a line is dear. */
function oddLines(lines: readonly Line[], most = lines.length): Line[] {
  const odd: Line[] = [];
  for (const line of lines) {
    if (odd.length >= most) break;
    if (!isWestern(asWestern(line))) odd.push(line);
  }
  return odd;
}

const asWestern = ({ bytes }: Line) => WESTERN_DECODER.decode(Buffer.from(bytes, 'latin1'));

/** The cell, as far as cells can be told before the delimiter is known. */
function oddPartOf(line: string): string {
  const parts = line.split(/[;,\t|"]/).map((part) => part.trim());
  const part = parts.find((one) => !isWestern(one)) ?? line;
  return part.slice(0, ODD_CHARS_SHOWN).replace(/\p{Cc}/gu, '\ufffd');
}

/** The first of them: detection is dear. */
function cutToSize(lines: readonly string[]): Buffer {
  const text = lines.join('\n');
  const enough = text.length > IMPORT_GUESS_BYTES ? text.slice(0, IMPORT_GUESS_BYTES).replace(/\n[^\n]*$/, '') : text;
  return Buffer.from(enough, 'latin1');
}

function decoderOf(name: string | null): TextDecoder | undefined {
  try {
    return name === null ? undefined : new TextDecoder(LABELS[name] ?? name);
  } catch {
    return undefined;
  }
}

const WESTERN = 'windows-1252';
const WESTERN_DECODER = new TextDecoder(WESTERN); // without `stream`, it keeps nothing from one text to the next
const GUESSED = [
  ...['windows-1250', 'windows-1251', 'windows-1252', 'windows-1253', 'windows-1254', 'windows-1255', 'windows-1256'],
  ...['windows-1257', 'windows-1258', 'iso-8859-2', 'iso-8859-5', 'koi8-r', 'koi8-u', 'ibm866', 'windows-874'],
  ...['macroman', 'maccyrillic', 'shift_jis', 'cp932', 'euc-jp', 'iso-2022-jp', 'gb18030', 'big5', 'euc-kr', 'cp949'],
];
/** jschardet's names for what TextDecoder calls otherwise. */
const LABELS: Readonly<Record<string, string>> = {
  CP874: 'windows-874',
  cp1258: 'windows-1258',
  CP932: 'shift_jis',
  CP949: 'euc-kr',
  MacRoman: 'macintosh',
  MacCyrillic: 'x-mac-cyrillic',
};
const ESCAPE = '\x1b';
const SHIFT_IN_JAPANESE = `${ESCAPE}$`;
const UTF16_ZEROS_SHARE_MIN = 0.1;
const OTHER_ZEROS_SHARE_MAX = 0.1;
const OTHERS_MAX = 5;
const ODD_CHARS_SHOWN = 60;
export const SAVE_AS_UTF8 = 'Save the table as “CSV UTF-8” and send that instead. Nothing was imported.';
