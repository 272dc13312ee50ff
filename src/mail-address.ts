/**
 * What it is: the one place that says what an email address is: a single mailbox, `local@domain`.
 * What fails without it: `ada,ben@example.com` passes a pattern, and the mail library then reads it as a list: Ben gets
 *   Ada's personal link. The same with quotes, comments, groups and `mailto:`.
 * How it works: an allow-list instead of a parser. RFC 5322 allows far more than any mailbox that a person has, and every
 *   parser of all of it gives up to four meanings to one text. Allowed are a dot-atom before the @ (RFC 5321 4.1.2), with
 *   letters and digits of all scripts (RFC 6531), and after it a domain of at least two labels; one with other letters than
 *   ASCII's becomes punycode (UTS 46, by Node's URL parser). Everything else is refused in words. Composed (NFC) and in
 *   lower case, so that two spellings of one mailbox are one. That is JavaScript's, other than for texts (src/text.ts):
 *   what is compared afterwards is compared as it is, and PostgreSQL's lower() finds nothing left to change.
 *   A word with letters of two alphabets that look alike is refused; digits and most signs do not end a word.
 * What it costs: mailboxes with quotes, spaces, emoji or IP addresses are refused. Letters beyond ASCII before the @ reach
 *   only where the mail server offers SMTPUTF8 (src/mail/smtp-utf8.ts).
 * Its bound: EMAIL_CHARS_MAX, LOCAL_PART_CHARS_MAX, in bytes. Its proof: test/mail-address.test.ts.
 */
import { domainToASCII, domainToUnicode } from 'node:url';
import { EMAIL_CHARS_MAX, LOCAL_PART_CHARS_MAX } from './limits.ts';

export type ParsedAddress = { readonly address: string } | { readonly fault: string };

/** `fault` completes the sentence "… is not an email address: it …". Spaces around the address do not matter. */
export function parseAddress(text: string): ParsedAddress {
  const address = text.trim().normalize('NFC');
  const fault = faultOf(address);
  if (fault !== undefined) return { fault };
  const at = address.indexOf('@');
  const local = toLowerCase(address.slice(0, at)).normalize('NFC');
  const domain = toAsciiDomain(address.slice(at + 1));
  if (domain === undefined) return { fault: 'has a domain that does not exist in this form' };
  // As people are shown it: there are other spellings than with its own letters, punycode among them.
  if (domain.includes('xn--') && mixesAlphabets(domainToUnicode(domain).split('.'))) return { fault: MIXED };
  if (Buffer.byteLength(local) > LOCAL_PART_CHARS_MAX) return { fault: LOCAL_TOO_LONG };
  if (Buffer.byteLength(local) + 1 + domain.length > EMAIL_CHARS_MAX) return { fault: TOO_LONG };
  return { address: `${local}@${domain}` };
}

/** Word by word, because JavaScript takes Σ in "ΟΔΟΣ.ΑΘΗΝΑΣ" for a letter within a word. */
export function toLowerCase(address: string): string {
  return withPlainDots(address.replace(/[\p{L}\p{M}]+/gu, (word) => word.toLowerCase()));
}

/** ALİ@ŞİRKET.TEST, as Turkish spreadsheets write ali@şirket.test: JavaScript's "i̇" is an i with two dots, of another mailbox. */
function withPlainDots(text: string): string {
  return text.replace(/İ|i\u0307/g, 'i');
}

/** What somebody looks for, as addresses are kept: a whole one with an ASCII domain. A part of one stays as it is. */
export function toSearch(text: string): string {
  if (text === '') return text; // as it is most of the time: nothing is looked for
  const parsed = parseAddress(text);
  return 'fault' in parsed ? text : parsed.address;
}

/**
 * `ada@…` for `ada+news@…`: most mail servers deliver both to Ada (RFC 5233). Only for counting what a mailbox gets, since
 * some do not.
 */
export function withoutTag(address: string): string {
  return address.replace(/^([^+@]+)\+[^@]*/, '$1');
}

export interface Mailbox {
  /** What mail programs show; empty when there is none. */
  readonly name: string;
  readonly address: string;
}

/**
 * A sender: `name@example.com`, or with a name in front: `Name <name@example.com>`. Undefined for anything else, and for
 * letters beyond ASCII before the @, with which nobody could be sent to without SMTPUTF8.
 */
export function parseMailbox(text: string): Mailbox | undefined {
  const named = /^([^<>]*)<([^<>]*)>$/.exec(text.trim());
  const name = (named?.[1] ?? '').trim().replace(/^"(.*)"$/, '$1');
  const parsed = parseAddress(named?.[2] ?? text);
  // A line break would add headers to every mail; an @ outside the brackets would be a second address.
  if (INVISIBLE.test(text) || /["@,;]/.test(name) || (named !== null && name === '')) return undefined;
  if ('fault' in parsed || NOT_ASCII.test(parsed.address)) return undefined;
  return { name, address: parsed.address };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is what ASCII is
const NOT_ASCII = /[^\u0000-\u007f]/;
const LOCAL_TOO_LONG = `has more than ${LOCAL_PART_CHARS_MAX} characters before the @`;
const TOO_LONG = `is longer than ${EMAIL_CHARS_MAX} characters`;

/** Control characters, characters without a shape, and every space but the plain one. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u115f\u1160\u3164\uffa0]/u;

const ATEXT = "[a-z0-9!#$%&'*+/=?^_`{|}~\\-\\p{L}\\p{M}\\p{N}]";
const DOT_ATOM = new RegExp(`^${ATEXT}+(?:\\.${ATEXT}+)*$`, 'iu');

/** Alphabets that have many letters of the same shapes. Latin beside Japanese or Hebrew misleads nobody. */
const ALIKE = ['Latin', 'Cyrillic', 'Greek', 'Armenian', 'Cherokee', 'Coptic', 'Lisu'].map(
  (script) => new RegExp(`\\p{Script=${script}}`, 'u'),
);
const MIXED = 'mixes letters of two alphabets that look alike';

function mixesAlphabets(words: readonly string[]): boolean {
  return words.some((word) => NOT_ASCII.test(word) && ALIKE.filter((alphabet) => alphabet.test(word)).length > 1);
}

/** In the order in which they explain most: the first that holds is what the person is told. */
const FAULTS: readonly (readonly [holds: (address: string) => boolean, fault: string])[] = [
  [(address) => address === '', 'is empty'],
  [(address) => address.length > EMAIL_CHARS_MAX, TOO_LONG],
  [(address) => INVISIBLE.test(address), 'contains an invisible character'],
  [(address) => /^mailto:/i.test(address), 'starts with "mailto:"; leave that out'],
  [(address) => /[,;]/.test(address), 'contains a comma or a semicolon; write one address only'],
  [(address) => /["\\]/.test(address), 'contains a quotation mark or a backslash'],
  [(address) => /[()]/.test(address), 'contains a comment in brackets; leave that out'],
  [(address) => /[<>[\]]/.test(address), 'contains brackets; write the address without them'],
  [(address) => /\s/.test(address), 'contains a space'],
  [(address) => address.includes(':'), 'contains a colon'],
  [(address) => !address.includes('@'), 'has no @'],
  [(address) => address.split('@').length > 2, 'has more than one @'],
  [(address) => address.startsWith('@'), 'has nothing before the @'],
  [(address) => address.endsWith('@'), 'has nothing after the @'],
  [(address) => address.endsWith('.'), 'ends with a dot; leave that out'],
  // ﬁ and ½ are written in two ways by two people.
  [
    (address) => withoutOnlyForms(address).normalize('NFKC') !== withoutOnlyForms(address),
    'has a letter in an unusual form before the @; write it plainly',
  ],
  // Cyrillic а in paypаl or paypa1а: no word has letters of both. отдел.sales has two words, as отдел-sales has; not in a
  // domain, where registries and browsers take what is between two dots for one word.
  [(address) => mixesAlphabets(localOf(address).split(/[.+_-]/)), MIXED],
  [(address) => Buffer.byteLength(localOf(address)) > LOCAL_PART_CHARS_MAX, LOCAL_TOO_LONG],
  [(address) => !DOT_ATOM.test(localOf(address)), 'has a dot or another character in the wrong place before the @'],
];

function faultOf(address: string): string | undefined {
  return FAULTS.find(([holds]) => holds(address))?.[1];
}

/** Before the @, without letters that have a compatible form and no other that anybody types: Thai and Lao am. */
function withoutOnlyForms(address: string): string {
  return localOf(address).replace(/[\u0e33\u0eb3]/g, '');
}

function localOf(address: string): string {
  return address.slice(0, address.indexOf('@'));
}

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
/** At least two labels, and the last is not a number: that would be an IP address. */
const DOMAIN = new RegExp(`^(?:${LABEL}\\.)+(?!\\d+$)${LABEL}$`);

function toAsciiDomain(domain: string): string | undefined {
  // The URL parser reads more than names: it decodes %41, drops invisible characters and completes IP addresses. So it
  // only gets letters, digits, hyphens and dots.
  if (!/^[\p{L}\p{M}\p{N}.-]+$/u.test(domain)) return undefined;
  // Capitals are UTS 46's: it makes σ of each Σ, as browsers do.
  const plain = withPlainDots(domain);
  if (!NOT_ASCII.test(plain) && !DOMAIN.test(plain.toLowerCase())) return undefined;
  const ascii = domainToASCII(plain);
  return ascii !== '' && DOMAIN.test(ascii) && ascii.length <= DOMAIN_CHARS_MAX ? ascii : undefined;
}

const DOMAIN_CHARS_MAX = 253;
