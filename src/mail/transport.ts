import { PassThrough } from 'node:stream';
import { createTransport } from 'nodemailer';
import { SMTP_CONNECTIONS_MAX, SMTP_MS } from '../limits.ts';

export interface Mail {
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** The same for every try of the same mail, so that a second copy can be recognised. */
  readonly messageId: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What became of a mail: values, not exceptions, because every one of them is normal. */
export type MailOutcome =
  | { readonly kind: 'sent' }
  /** The server will never take it (5xx). */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The server asks to try again (4xx), or the line broke in the middle; `maybeSent` when the whole mail had gone out. */
  | { readonly kind: 'later'; readonly reason: string; readonly maybeSent: boolean }
  /** No server there: says nothing about this mail. */
  | { readonly kind: 'unreachable'; readonly reason: string };

export interface Transport {
  send(mail: Mail): Promise<MailOutcome>;
  close(): void;
}

/** SMTP over a few kept connections; how many mails are under way at once is the caller's business. */
export function openTransport(smtpUrl: string): Transport {
  const transporter = createTransport({
    url: smtpUrl,
    pool: true,
    maxConnections: SMTP_CONNECTIONS_MAX,
    maxMessages: Number.POSITIVE_INFINITY,
    connectionTimeout: SMTP_MS,
    greetingTimeout: SMTP_MS,
    socketTimeout: SMTP_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  // A mail's source is read by the connection that sends it: once read to its end, the server may have all of it.
  const handedOver = new Set<string>();
  transporter.use('stream', (mail, done) => {
    const { messageId } = mail.data as Mail;
    const final = (end: () => void) => {
      handedOver.add(messageId);
      end();
    };
    mail.message.transform(() => new PassThrough({ final }));
    done();
  });
  return {
    async send(mail) {
      try {
        await transporter.sendMail({ ...mail, headers: { ...mail.headers } });
        return { kind: 'sent' };
      } catch (error) {
        return outcomeOf(error, handedOver.has(mail.messageId));
      } finally {
        handedOver.delete(mail.messageId);
      }
    },
    close: () => transporter.close(),
  };
}

function outcomeOf(error: unknown, handedOver: boolean): MailOutcome {
  const { code, responseCode, command, message } = error as {
    code?: string;
    responseCode?: number;
    command?: string;
    message: string;
  };
  const reason = message.slice(0, 300);
  // What a server says to the greeting or the password is about us; only from here on it is about the mail.
  if (responseCode !== undefined && ['MAIL FROM', 'RCPT TO', 'DATA'].includes(command ?? '')) {
    return responseCode >= 500 ? { kind: 'refused', reason } : { kind: 'later', reason, maybeSent: false };
  }
  if (handedOver) return { kind: 'later', reason, maybeSent: true };
  if (code === 'EENVELOPE' || code === 'EMESSAGE') return { kind: 'refused', reason };
  return { kind: 'unreachable', reason };
}
