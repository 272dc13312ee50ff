/**
 * What it is: what an answer of a mail server is about: the recipient, the mail, the sender or account, or the server.
 * What fails without it: a 5xx to the sender (a quota, a missing login) marks every recipient as failed for good, and a
 *   provider's 454 uses up everybody's tries while nobody's mailbox was ever asked.
 * How it works: the command that was answered, the enhanced status code (RFC 3463, 2034), the reply code and, only where
 *   these leave it open, the words of the reply. Until RCPT TO nothing is about a recipient. When in doubt at RCPT TO it
 *   is the recipient, and after the mail's data the mail.
 * What it costs: the words are a guess, of what large providers are known to say. A wrong one holds mails back for a
 *   while, or ends single recipients, who can be sent to again; neither loses a mail.
 * Its bound: MAIL_REASON_CHARS_MAX. The words: reply-words.ts. Its proof: test/mail/outcome.test.ts, bench/patterns/retry-classification.
 */
import {
  CONTENT_WORDS,
  EXPIRED,
  FULL,
  OF_MAILBOX,
  QUOTA_WORDS,
  RATE_WORDS,
  reasonOf,
  SENDER_WORDS,
  withoutQuotes,
} from './reply-words.ts';

/** The outcome of sending a mail. Values instead of exceptions, because each of them is normal. */
export type MailOutcome =
  | { readonly kind: 'sent' }
  /**
   * For good: this mailbox does not exist, this mail is not wanted, or our mail server cannot write such an address. Only
   * this ends a recipient.
   */
  | { readonly kind: 'refused'; readonly about: 'recipient' | 'mail' | 'unsupported'; readonly reason: string }
  /** For now: this mailbox is full or greylists us. Counts as one of the recipient's tries. */
  | { readonly kind: 'deferred'; readonly about: 'recipient' | 'mail'; readonly reason: string }
  | Held
  /**
   * The server has all of the mail and did not answer. After `silence` (or when we stopped waiting) it most likely took
   * it; when the connection broke it may not have.
   */
  | { readonly kind: 'unanswered'; readonly after: 'silence' | 'break'; readonly reason: string }
  /** Not handed over at all, because its caller changed its mind. */
  | { readonly kind: 'withdrawn' };

/**
 * Says nothing about the recipient: every other mail would get the same answer. `sender`: our address, login, quota or
 * reputation. `server`: it is away, or not able to take mail. `rate`: we are too fast for it.
 */
export interface Held {
  readonly kind: 'held';
  readonly about: 'sender' | 'server' | 'rate';
  readonly reason: string;
  /** We have sent as much as the provider lets us in an hour, a day or a month: being slower does not help. */
  readonly isQuota?: true;
}

/** What nodemailer throws: `command` and the rest are only there when a server answered, or would have. */
export interface MailError {
  readonly message: string;
  readonly code?: string;
  readonly command?: string;
  readonly responseCode?: number;
  readonly response?: string;
}

/** `handedOver`: all of the mail's data has been transmitted. */
export function outcomeOf(error: MailError, handedOver: boolean): MailOutcome {
  const reason = reasonOf(error.message);
  const answer = answerOf(error);
  if (answer !== undefined && TRANSACTION.includes(answer.command)) return ofAnswer(answer, reason);
  const isMute = answer === undefined && TRANSACTION.includes(error.command ?? '');
  if (handedOver) return { kind: 'unanswered', after: error.code === 'ETIMEDOUT' ? 'silence' : 'break', reason };
  if (answer !== undefined && isAboutRate(answer)) return { kind: 'held', about: 'rate', reason };
  if (answer !== undefined && isAboutQuota(answer)) return heldByQuota(reason);
  if (error.code === 'EAUTH' || error.code === 'ENOAUTH' || error.code === 'EOAUTH2')
    return { kind: 'held', about: 'sender', reason };
  // The greeting, the reply to EHLO, the encryption and the connection itself.
  if (error.code !== undefined && SERVER_CODES.includes(error.code)) return { kind: 'held', about: 'server', reason };
  if (/pool was closed/.test(error.message)) return { kind: 'withdrawn' };
  // It said something that is no answer.
  if (isMute) return { kind: 'held', about: 'server', reason };
  // It could not even be composed: the envelope, the size, a file that it must not include.
  return { kind: 'refused', about: error.code === 'EENVELOPE' ? 'recipient' : 'mail', reason };
}

/**
 * Whether a refusal is a hard bounce: this mailbox does not exist, or will never take our mail. A full one is emptied some
 * day, whatever the code says.
 */
export function isHardBounce(outcome: MailOutcome): boolean {
  return (
    outcome.kind === 'refused' &&
    outcome.about === 'recipient' &&
    !FULL.test(outcome.reason) &&
    !EXPIRED.test(outcome.reason)
  );
}

/**
 * The same for a mail that was returned later: its status (RFC 3463) and the words of the server that refused it. Anything
 * but the recipient's fault (our reputation, the mail's content) says nothing about the mailbox.
 */
export function isPermanentBounce(status: string, diagnostic: string): boolean {
  // The status of a report is often only 5.0.0, and the server's own answer tells more.
  const coded = /^[245]\.0\.0$|^$/.test(status) ? (ENHANCED.exec(diagnostic)?.[0] ?? status) : status;
  const code = Number(/^\d{3}(?=[ -])/.exec(diagnostic)?.[0] ?? (coded.startsWith('5') ? 550 : 450));
  if (!coded.startsWith('5') && (coded !== '' || code < 500)) return false;
  const [, subject, detail] = coded === '' ? [] : coded.split('.').map(Number);
  const text = withoutQuotes(`${code} ${coded} ${diagnostic}`);
  return (
    subjectOf({ command: 'RCPT TO', code: Math.max(code, 500), subject, detail, text }) === 'recipient' &&
    !FULL.test(text) &&
    !EXPIRED.test(text)
  );
}

const ENHANCED = /\b[245]\.\d{1,3}\.\d{1,3}\b/;

const TRANSACTION: readonly string[] = ['MAIL FROM', 'RCPT TO', 'DATA'];
const SERVER_CODES: readonly string[] = [
  ...['ECONNECTION', 'ETIMEDOUT', 'ESOCKET', 'EDNS', 'ETLS', 'EREQUIRETLS', 'EPROTOCOL', 'EPROXY', 'ECONFIG'],
  'EMAXLIMIT',
];

interface Answer {
  readonly command: string;
  /** Three digits. */
  readonly code: number;
  /** Subject and detail of the enhanced status code: 5.7.60 has 7 and 60. */
  readonly subject: number | undefined;
  readonly detail: number | undefined;
  /** Its words, without what it quotes. */
  readonly text: string;
}

function answerOf({ command, responseCode, response, message }: MailError): Answer | undefined {
  if (responseCode === undefined || command === undefined) return undefined;
  if (!(responseCode >= 400 && responseCode < 600)) return undefined;
  const said = response ?? message;
  // qmail and its heirs write it at the end: (#5.1.1)
  const [, subject, detail] = /(?:^\d{3}[ -]|\(#)[245]\.(\d{1,3})\.(\d{1,3})\b/m.exec(said) ?? [];
  return {
    command,
    code: responseCode,
    subject: subject === undefined ? undefined : Number(subject),
    detail: detail === undefined ? undefined : Number(detail),
    text: withoutQuotes(said),
  };
}

function ofAnswer(answer: Answer, reason: string): MailOutcome {
  const about = subjectOf(answer);
  if (about === 'recipient' || about === 'mail')
    return { kind: answer.code >= 500 ? 'refused' : 'deferred', about, reason };
  return isAboutQuota(answer) ? heldByQuota(reason) : { kind: 'held', about, reason };
}

function heldByQuota(reason: string): Held {
  return { kind: 'held', about: 'sender', reason, isQuota: true };
}

type Subject = 'recipient' | 'mail' | Held['about'];

function subjectOf(answer: Answer): Subject {
  const { command, code } = answer;
  if (code === 421) return isAboutRate(answer) ? 'rate' : 'server'; // "closing transmission channel", whatever was asked
  const coded = ofEnhancedCode(answer);
  if (command === 'MAIL FROM') {
    if (coded === 'mail' || (code === 552 && !isAboutQuota(answer))) return 'mail'; // it is told the size
    if (isAboutRate(answer)) return 'rate';
    return coded === 'server' || (code < 500 && coded === undefined) ? 'server' : 'sender';
  }
  if (coded !== undefined) return coded;
  if (command === 'RCPT TO' && OF_MAILBOX.test(answer.text)) return 'recipient';
  if (isAboutRate(answer)) return 'rate';
  if (SENDER_WORDS.test(answer.text)) return 'sender';
  if (code >= 500 && CONTENT_WORDS.test(answer.text)) return 'mail';
  return ofReplyCode(answer);
}

/** Undefined where the code leaves it open. Source: RFC 3463, the IANA registry, and what Exchange and Gmail document. */
function ofEnhancedCode({ subject, detail, command, code }: Answer): Subject | undefined {
  if (subject === undefined || detail === undefined) return undefined;
  switch (subject) {
    case 1: // addresses
      if (detail === 0) return undefined;
      return [7, 8, 90].includes(detail) ? 'sender' : 'recipient'; // 90: Exchange's daily limit of recipients
    case 2: // the mailbox; 252: Exchange's word for somebody else's sender
      if (detail === 252) return 'sender';
      return detail === 0 ? undefined : 'recipient';
    case 3: // the mail system
      if (detail === 4) return 'mail';
      return detail === 0 || detail === 2 ? undefined : 'server';
    case 4: // the way to it
      if (detail === 5) return code >= 500 ? 'sender' : undefined; // Gmail's daily quota
      if (detail === 3) return 'server';
      return detail === 0 ? undefined : 'recipient';
    case 5: // the protocol
      if (detail === 3) return 'rate'; // too many recipients: each mail has one, so it counts those of a while
      return detail === 0 || (command === 'RCPT TO' && [501, 553].includes(code)) ? undefined : 'server';
    case 6: // the content; 6.7 and 6.10 are about addresses
      return [7, 10].includes(detail) ? 'recipient' : 'mail';
    case 7:
      return ofPolicy(detail, command);
    default:
      return undefined;
  }
}

/** X.7.n: security and policy. */
function ofPolicy(detail: number, command: string): Subject | undefined {
  if (detail <= 1) return undefined; // "delivery not authorized": relaying, spam, a group that takes no mail from outside
  if ([2, 17, 18, 19].includes(detail) || (detail >= 120 && detail < 200)) return 'recipient';
  if (detail === 16) return 'mail';
  if (detail === 28) return 'rate'; // mail flood
  if (detail === 7 && command === 'DATA') return 'mail';
  return 'sender';
}

function ofReplyCode({ command, code, subject, detail }: Answer): Subject {
  const temporary = code < 500;
  if ([450, 550, 551].includes(code)) return command === 'RCPT TO' ? 'recipient' : 'mail';
  if (code === 530 || code === 535 || code === 538 || code === 534) return 'sender';
  if (code === 454 || code === 432) return 'sender'; // temporary authentication failure; AWS also throttles with it
  if (code === 452 || (temporary && subject === 7 && detail === 0)) return 'server';
  if (code >= 500 && code <= 504) return command === 'RCPT TO' && code === 501 ? 'recipient' : 'server';
  if (temporary) return command === 'RCPT TO' ? 'recipient' : 'server';
  return command === 'RCPT TO' ? 'recipient' : 'mail';
}

/** A daily or hourly quota is not one: slowing down does not help there. */
function isAboutRate(answer: Answer): boolean {
  return answer.code >= 400 && !isAboutQuota(answer) && RATE_WORDS.test(answer.text);
}

function isAboutQuota({ code, text }: Answer): boolean {
  return code >= 400 && QUOTA_WORDS.test(text);
}
