/**
 * Whether the mail server takes addresses with other letters than ASCII's before the @ (SMTPUTF8, RFC 6531). The mail
 * library sends such an address to any server, and one that does not know it refuses the mailbox: that would count as a
 * bounce. So the server is asked first, with a connection of its own, when such a mail comes up and the last answer is
 * older than SMTP_UTF8_KNOWN_MS. Domains need nothing of this: they are sent as punycode.
 */
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { createSingleFlight } from '../flow/single-flight.ts';
import { SMTP_UTF8_KNOWN_MS } from '../limits.ts';

export const NEEDS_SMTP_UTF8 = 'The mail server cannot send to an address with such letters before the @ (SMTPUTF8)';

export function needsSmtpUtf8(address: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is what ASCII is
  return /[^\u0000-\u007f]/.test(address.slice(0, address.lastIndexOf('@')));
}

type ConnectionOptions = ConstructorParameters<typeof SMTPConnection>[0];

/** Rejects, as sending does, when the server cannot be reached. */
export function createSmtpUtf8Check(options: ConnectionOptions): () => Promise<boolean> {
  const asking = createSingleFlight<boolean>();
  let known: { readonly offered: boolean; readonly until: number } | undefined;
  return async () => {
    if (known !== undefined && performance.now() < known.until) return known.offered;
    const offered = await asking('', () => askServer(options));
    known = { offered, until: performance.now() + SMTP_UTF8_KNOWN_MS };
    return offered;
  };
}

function askServer(options: ConnectionOptions): Promise<boolean> {
  const connection = new SMTPConnection(options);
  return new Promise<boolean>((resolve, reject) => {
    connection.on('error', reject);
    // After STARTTLS it is the second answer to EHLO, which counts.
    connection.connect(() => resolve(/^250[ -]SMTPUTF8\b/im.test(String(connection.lastServerResponse))));
  }).finally(() => connection.close());
}
