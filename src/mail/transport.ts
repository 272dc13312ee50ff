import { connect, type Socket } from 'node:net';
import { createTransport } from 'nodemailer';
import { SMTP_ANSWER_MS, SMTP_CONNECT_MS, SMTP_CONNECTIONS_MAX, SMTP_GREETING_MS } from '../limits.ts';
import type { Mailbox } from '../mail-address.ts';
import { currentTraceparent } from '../trace.ts';
import { type MailError, type MailOutcome, outcomeOf } from './outcome.ts';

export interface Mail {
  readonly from: Mailbox;
  /** One address, checked by parseAddress. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** The same for every attempt to send the same mail, so that a second copy can be recognised. */
  readonly messageId: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Transport {
  /** `giveUp` cuts the connection: a mail of which all was transmitted is then `unanswered`, any other `withdrawn`. */
  send(mail: Mail, giveUp?: AbortSignal): Promise<MailOutcome>;
  close(): void;
}

export interface TransportTiming {
  readonly connectMs: number;
  readonly greetingMs: number;
  readonly answerMs: number;
}

const TIMING: TransportTiming = {
  connectMs: SMTP_CONNECT_MS,
  greetingMs: SMTP_GREETING_MS,
  answerMs: SMTP_ANSWER_MS,
};

/** SMTP over a few persistent connections; the caller limits how many mails are in flight. */
export function openTransport(smtpUrl: string, timing = TIMING): Transport {
  const transporter = createTransport({
    url: smtpUrl,
    pool: true,
    maxConnections: SMTP_CONNECTIONS_MAX,
    maxMessages: Number.POSITIVE_INFINITY,
    // nodemailer counts the greeting as a part of connecting, so a server that is away would be waited for as long as
    // one that greets late. Connecting itself is done below, with a limit of its own.
    connectionTimeout: timing.connectMs + timing.greetingMs,
    greetingTimeout: timing.greetingMs,
    socketTimeout: timing.answerMs,
    getSocket: (options: Server, callback: Connected) => connectTo(options, timing.connectMs, callback),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  // The connection that sends a mail reads its source: once it is read to the end, the server may have the whole mail.
  const handedOver = new Set<string>();
  transporter.use('stream', (mail, done) => {
    const { messageId } = mail.data as unknown as Mail;
    const open = mail.message.createReadStream.bind(mail.message);
    mail.message.createReadStream = (options) => open(options).once('end', () => handedOver.add(messageId));
    done();
  });
  return {
    async send({ from, to, ...mail }, giveUp) {
      try {
        // An object: nodemailer reads a text as a list of addresses.
        await transporter.sendMail({
          ...mail,
          from,
          to: { name: '', address: to },
          headers: { ...mail.headers, ...traceHeader() },
          ...(giveUp === undefined ? {} : { signal: giveUp }),
        });
        return { kind: 'sent' };
      } catch (error) {
        if (giveUp?.aborted !== true) return outcomeOf(error as MailError, handedOver.has(mail.messageId));
        return handedOver.has(mail.messageId)
          ? { kind: 'unanswered', after: 'silence', reason: 'The server had the mail and did not answer in time.' }
          : { kind: 'withdrawn' };
      } finally {
        handedOver.delete(mail.messageId);
      }
    },
    close: () => transporter.close(),
  };
}

interface Server {
  readonly host?: string;
  readonly port?: number | string;
  readonly secure?: boolean;
}

type Connected = (error: Error | null, socketOptions: { connection: Socket } | false) => void;

function connectTo({ host = 'localhost', port, secure }: Server, ms: number, connected: Connected): void {
  const socket = connect({ host, port: Number(port) || (secure === true ? 465 : 587) });
  const timer = setTimeout(() => socket.destroy(new Error(`No connection within ${ms / 1000} s`)), ms);
  const failed = (error: Error) => {
    clearTimeout(timer);
    connected(Object.assign(error, { code: 'ECONNECTION', command: 'CONN' }), false);
  };
  socket.once('error', failed).once('connect', () => {
    clearTimeout(timer);
    socket.off('error', failed);
    connected(null, { connection: socket });
  });
}

function traceHeader(): { traceparent?: string } {
  const traceparent = currentTraceparent();
  return traceparent === undefined ? {} : { traceparent };
}
