/**
 * The words by which the answers of mail servers are told apart, where their codes leave it open: what large providers and
 * common servers are known to say (outcome.ts).
 */
import { MAIL_REASON_CHARS_MAX, MAIL_REPLY_CHARS_MAX } from '../limits.ts';
import { tidyLine } from '../text.ts';

/** What a server says, as it is stored and shown: one line, without what nobody can see and the database refuses. */
export function reasonOf(text: string): string {
  return tidyLine(text.replaceAll('\0', ' ')).slice(0, MAIL_REASON_CHARS_MAX).toWellFormed();
}

/** Without addresses and the paths of links: whoever chooses an address must not choose how its refusal is read. */
export function withoutQuotes(text: string): string {
  return text
    .slice(0, MAIL_REPLY_CHARS_MAX)
    .replace(/[^\s<>"']*@[^\s<>"']*/g, '…')
    .replace(/(https?:\/\/[^/\s]+)\/\S*/gi, '$1');
}

export const FULL =
  /\b[245]\.2\.2\b|mailbox (?:is )?full|over ?quota|quota (?:is )?exceeded|exceeded .{0,30}quota|out of storage/i;
/** Given up for now: the mailbox's server was away for days, or servers passed the mail round. */
export const EXPIRED =
  /\b[245]\.4\.(?:[67]|14|300|31[2-8])\b|message (?:has )?expired|message timeout|hop count|mail loop/i;
export const CONTENT_WORDS = /\bspam|unsolicited|\bjunk\b|virus|malware|phishing|suspicious|\bcontent\b/i;
export const RATE_WORDS =
  /\brate\b|throttl|too fast|slow down|too many (?:\w+ )?(?:messages|e-?mails|mails|connections|sessions|requests|recipients|transactions|commands)|too much mail|concurren|(?:messages|e-?mails|mails) per (?:second|minute)|mail flood/i;
export const QUOTA_WORDS =
  /daily|per day|24 ?h|hourly|per hour|monthly|per month|quota|credits? (?:is |are )?exceeded/i;
/** Of the mailbox, although it speaks of a rate or a quota. */
export const OF_MAILBOX =
  /gr[ae]y ?-?list|(?:mail ?box|inbox|user|recipient)\b.{0,30}\b(?:full|over ?quota|(?<!sending )quota (?:is )?exceeded)/i;
export const SENDER_WORDS = new RegExp(
  [
    ...['relay', 'sender', 'authenticat', 'log ?in first', 'not logged in', 'credential', 'starttls', 'must issue'],
    ...[
      'client host',
      'blocked using',
      'block ?list',
      'black ?list',
      'spamhaus',
      'dnsbl',
      '\\brbl\\b',
      'barracuda',
      'reputation',
    ],
    ...[
      '\\bspf\\b',
      '\\bdkim\\b',
      '\\bdmarc\\b',
      'reverse dns',
      '\\bptr\\b',
      '\\bhelo\\b',
      '\\behlo\\b',
      'your ip',
      'ip address',
    ],
    ...['daily', 'per day', 'hourly', 'per hour', 'monthly', '(?:sending|sender|message) (?:quota|limit)'],
    ...[
      'account .*(?:suspend|disabled|locked|verif)',
      '(?:sending|account) .*paused',
      'not verified',
      'not allowed to send',
      'sandbox',
      'banned',
    ],
    ...[
      'not authorized to perform',
      'send ?as ?denied',
      'outbound ?spam',
      'rcpthosts',
      'credits? (?:is |are )?exceeded',
    ],
    ...['from (?:address|domain|header)', 'sending domain', 'return.path'],
  ].join('|'),
  'i',
);
