/**
 * The words in braces that a mail is filled in with. A text that looks as if it had others is refused when it is written:
 * its author meant something by them, and everybody would read `{{frist_name}}`. What is stored already is sent as it is.
 */
import { AppError } from '../../errors.ts';
import { PLACEHOLDER_SHOWN_CHARS_MAX, PLACEHOLDERS_NAMED_MAX } from './limits.ts';

export interface Words {
  readonly name: string;
  readonly organisation: string;
}

const NAMES = ['name', 'organisation'] as const satisfies readonly (keyof Words)[];

export const PLACEHOLDERS = NAMES.map((name) => `{{${name}}}`);

const PLACEHOLDER = new RegExp(`\\{\\{\\s*(${NAMES.join('|')})\\s*\\}\\}`, 'g');

export function fillPlaceholders(text: string, words: Words): string {
  return text.replace(PLACEHOLDER, (_, name: keyof Words) => words[name]);
}

/** The fields that placeholders work in. */
export interface FilledText {
  readonly subject?: string | undefined;
  readonly body?: string | undefined;
}

/** Throws `invalid`, with a sentence for each field, unless all placeholders of the fields are known. */
export function refuseUnknownPlaceholders({ subject, body }: FilledText): void {
  const errors = Object.entries({ subject, body }).flatMap(([field, text]) => {
    const message = faultOf(text ?? '');
    return message === undefined ? [] : [{ path: `body/${field}`, message }];
  });
  if (errors.length > 0) throw new AppError('invalid', errors.map(({ message }) => message).join(' '), { errors });
}

/**
 * Two braces belong to placeholders, so what else is in two of them is refused. One brace is a character like any other,
 * unless it holds what a placeholder would hold. Braces of other widths count as braces.
 */
function faultOf(text: string): string | undefined {
  const pieces = text.replace(PLACEHOLDER, KNOWN).match(BRACED) ?? [];
  const unknown = pieces.filter((one) => TWO.test(one) || one.includes(KNOWN) || meantBy(one) !== undefined);
  const [first, ...others] = [...new Set(unknown)];
  if (first === undefined) return undefined;
  const meant = others.length === 0 ? meantBy(first) : undefined;
  if (meant !== undefined) return `${shown(first)} is not filled in: write {{${meant}}}.`;
  const named = [first, ...others].slice(0, PLACEHOLDERS_NAMED_MAX).map(shown);
  const more = others.length + 1 - named.length;
  const all = [...named, ...(more > 0 ? [`${more} more`] : [])];
  return `${inWords(all)} ${all.length === 1 ? 'is not a placeholder' : 'are not placeholders'}: only ${inWords(PLACEHOLDERS)} are filled in.`;
}

/** Stands in for a known placeholder: no text that comes in can hold it. */
const KNOWN = '\0';
const [OPEN, CLOSE] = ['[{｛﹛]', '[}｝﹜]'];
const NEITHER = '[^{｛﹛}｝﹜]';
const BRACED = new RegExp(`${OPEN}+${NEITHER}*${CLOSE}+|${OPEN}{2,}${NEITHER}*|${CLOSE}{2,}`, 'g');
const TWO = new RegExp(`${OPEN}{2}|${CLOSE}{2}`);

/** The placeholder that differs from it only in case, width, braces, or characters that nobody sees. */
function meantBy(piece: string): keyof Words | undefined {
  const word = piece
    .normalize('NFKC')
    .replace(/[{}\s\p{Cf}]/gu, '')
    .toLowerCase();
  return NAMES.find((name) => name === word);
}

function shown(piece: string): string {
  const line = piece.replaceAll(KNOWN, '{{…}}').replace(/\s+/g, ' ').trim();
  const characters = [...line];
  return characters.length <= PLACEHOLDER_SHOWN_CHARS_MAX
    ? line
    : `${characters.slice(0, PLACEHOLDER_SHOWN_CHARS_MAX).join('')}…`;
}

function inWords(all: readonly string[]): string {
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}
