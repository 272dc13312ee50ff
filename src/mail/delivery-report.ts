/**
 * What it is: reads the mails that mail servers write: bounces (delivery status notifications, RFC 3464) and complaints
 *   (Abuse Reporting Format, RFC 5965).
 * What fails without it: a mailbox that is gone is written to for ever, and so is a person who has said that our mail is
 *   spam. Providers count both against the sender.
 * How it works: both are `multipart/report`: a text for people, fields for programs, and the mail that it is about, or
 *   its headers. Only the fields decide, and only together with a reference that we signed: the address to which the report
 *   was sent, the original envelope, or the Message-ID of the returned mail. Delays, successes, vacation notes and everything
 *   else that servers write is nothing that we act on.
 * What it costs: a bounce that a server writes in words only is not understood. Up to 100 ms of CPU for the worst report.
 * Its bound: the caller's REPORT_BYTES_MAX, REPORT_LINES_MAX, REPORT_NESTING_MAX, REPORT_FIELD_VALUES_MAX. Its proof: test/mail/delivery-report.test.ts.
 */
import PostalMime from 'postal-mime';
import { REPORT_FIELD_VALUES_MAX, REPORT_HEADER_BYTES_MAX, REPORT_LINES_MAX, REPORT_NESTING_MAX } from '../limits.ts';
import type { MailEvent } from './mail-event.ts';
import { isPermanentBounce } from './outcome.ts';
import { reasonOf } from './reply-words.ts';

export interface DeliveryReport {
  readonly event: MailEvent;
  /** What can name the mail that it is about, the surest first. None is to be believed before it is verified. */
  readonly references: readonly string[];
}

/** `sentTo`: the addresses of the envelope. Undefined for a mail that reports nothing that we act on. */
export async function parseDeliveryReport(
  mail: Uint8Array,
  sentTo: readonly string[],
): Promise<DeliveryReport | undefined> {
  const { headers, attachments } = await PostalMime.parse(firstLines(mail), {
    forceRfc822Attachments: true,
    attachmentEncoding: 'utf8',
    maxNestingDepth: REPORT_NESTING_MAX,
    maxHeadersSize: REPORT_HEADER_BYTES_MAX,
  }).catch(() => NOT_A_MAIL);
  const type = headers.find(({ key }) => key === 'content-type')?.value ?? '';
  if (!/^\s*multipart\/report\b/i.test(type)) return undefined;
  const part = (...types: readonly string[]) =>
    String(attachments.find(({ mimeType }) => types.includes(mimeType.toLowerCase()))?.content ?? '');
  const returned = fieldsOf(
    headOf(part('message/rfc822', 'text/rfc822-headers', 'message/global', 'message/global-headers')),
  );
  const named = [...sentTo, ...(returned.get('message-id') ?? []), ...(returned.get('return-path') ?? [])];

  const status = part('message/delivery-status', 'message/global-delivery-status');
  if (status !== '') {
    const event = bounceIn(status);
    return event && { event, references: named };
  }
  const feedback = fieldsOf(part('message/feedback-report'));
  const [kind = ''] = feedback.get('feedback-type') ?? [];
  if (!COMPLAINTS.includes(kind.toLowerCase())) return undefined;
  const reason = `${kind.toLowerCase()}, reported by ${feedback.get('user-agent')?.[0] ?? 'a mail provider'}`;
  return {
    event: { kind: 'complaint', reason: reasonOf(reason) },
    references: [...named, ...(feedback.get('original-mail-from') ?? []).map(withoutBrackets)],
  };
}

/** 250,000 empty lines take three seconds to read. */
function firstLines(mail: Uint8Array): Uint8Array {
  let end = -1;
  for (let lines = 0; lines < REPORT_LINES_MAX; lines++) {
    end = mail.indexOf(LINE_FEED, end + 1);
    if (end === -1) return mail;
  }
  return mail.subarray(0, end);
}

const LINE_FEED = 10;
const NOT_A_MAIL = { headers: [], attachments: [] };

/** Of RFC 5965 and RFC 6430. The others say that all was well, or are about a virus, authentication or something else. */
const COMPLAINTS: readonly string[] = ['abuse', 'fraud', 'opt-out'];

/** Each of our mails has one recipient, so a report has one group of fields about a recipient, after those about the mail. */
function bounceIn(text: string): MailEvent | undefined {
  for (const group of text.split(/\r?\n[ \t]*\r?\n/)) {
    const fields = fieldsOf(group);
    if (!/^failed\b/i.test(fields.get('action')?.[0] ?? '')) continue;
    const status = /\b[245]\.\d{1,3}\.\d{1,3}\b/.exec(fields.get('status')?.[0] ?? '')?.[0] ?? '';
    // `smtp; 550 5.1.1 no such user`
    const diagnostic = (fields.get('diagnostic-code')?.[0] ?? '').replace(/^[\w-]+\s*;\s*/, '');
    const reason = reasonOf(diagnostic || `returned with status ${status || 'unknown'}`);
    return { kind: 'bounce', permanent: isPermanentBounce(status, diagnostic), reason };
  }
  return undefined;
}

/** The values of header fields by their names in lower case, with folded lines joined. */
function fieldsOf(text: string): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const line of text
    .trim()
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/)) {
    const [, name = '', value = ''] = /^([\w-]+)[ \t]*:[ \t]*(.*)$/.exec(line) ?? [];
    if (name === '') continue;
    const key = name.toLowerCase();
    const values = fields.get(key);
    if (values === undefined) fields.set(key, [value.trim()]);
    else if (values.length < REPORT_FIELD_VALUES_MAX) values.push(value.trim());
  }
  return fields;
}

function headOf(mail: string): string {
  return mail.trimStart().split(/\r?\n\r?\n/, 1)[0] ?? '';
}

function withoutBrackets(text: string): string {
  return text.replace(/^<(.*)>$/, '$1');
}
