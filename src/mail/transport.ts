import { PassThrough } from 'node:stream';
import { createTransport } from 'nodemailer';
import { SMTP_CONNECTIONS_MAX, SMTP_MS } from '../limits.ts';

export interface Mail {
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** The same for every attempt to send the same mail, so that a second copy can be recognised. */
  readonly messageId: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The outcome of sending a mail. Values instead of exceptions, because each of them is normal. */
export type MailOutcome =
  | { readonly kind: 'sent' }
  /** The server rejects it permanently (5xx). */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The server asks us to retry (4xx), or the connection broke; `maybeSent` if the whole mail had been transmitted. */
  | { readonly kind: 'later'; readonly reason: string; readonly maybeSent: boolean }
  /** The server cannot be reached: this says nothing about the mail. */
  | { readonly kind: 'unreachable'; readonly reason: string };

export interface Transport {
  send(mail: Mail): Promise<MailOutcome>;
  close(): void;
}

/** SMTP over a few persistent connections; the caller limits how many mails are in flight. */
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
  // The connection that sends a mail reads its source: once it is read to the end, the server may have the whole mail.
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
  // A response to the greeting or the authentication is about us; only a response to these commands is about the mail.
  if (responseCode !== undefined && ['MAIL FROM', 'RCPT TO', 'DATA'].includes(command ?? '')) {
    return responseCode >= 500 ? { kind: 'refused', reason } : { kind: 'later', reason, maybeSent: false };
  }
  if (handedOver) return { kind: 'later', reason, maybeSent: true };
  if (code === 'EENVELOPE' || code === 'EMESSAGE') return { kind: 'refused', reason };
  return { kind: 'unreachable', reason };
}
