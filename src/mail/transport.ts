import { connect, type Socket } from 'node:net';
import { type Readable, Transform } from 'node:stream';
import { createTransport } from 'nodemailer';
import type { Config } from '../config.ts';
import {
  SMTP_ANSWER_MS,
  SMTP_CONNECT_MS,
  SMTP_CONNECTIONS_MAX,
  SMTP_GREETING_MS,
  SMTP_LATE_CONNECTIONS_MAX,
  SMTP_SLOW_CONNECTIONS_MAX,
} from '../limits.ts';
import { type Mailbox, parseMailbox } from '../mail-address.ts';
import { currentTraceparent, inSpanOfTrace } from '../trace.ts';
import { literalSubject } from './encoded-words.ts';
import { type MailError, type MailOutcome, outcomeOf } from './outcome.ts';
import { createSmtpUtf8Check, NEEDS_SMTP_UTF8, needsSmtpUtf8 } from './smtp-utf8.ts';

export interface Mail {
  readonly from: Mailbox;
  /** The sender in the envelope, to which it is returned (the Return-Path); without one, `from`. */
  readonly returnTo?: string | undefined;
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
  /**
   * `giveUp` cuts the connection: a mail of which all was transmitted is then `unanswered`, any other `withdrawn`.
   * `watch.breakOff` does the same, but not to a mail of which all was transmitted.
   */
  send(mail: Mail, giveUp?: AbortSignal, watch?: Watch): Promise<MailOutcome>;
  close(): void;
}

interface Watch {
  readonly breakOff: AbortSignal;
  /** All of the mail has been transmitted. */
  readonly handedOver: () => void;
}

export interface TransportTiming {
  readonly connectMs: number;
  readonly greetingMs: number;
  readonly answerMs: number;
}

export interface TransportSecurity {
  /** `offered`: STARTTLS if the server offers it, with its certificate checked. `unchecked`: any certificate. */
  readonly tls: Config['smtpTls'];
  /** Signs every mail. */
  readonly dkim?: DkimKey | undefined;
}

interface DkimKey {
  readonly domain: string;
  readonly selector: string;
  readonly key: string;
}

export function transportSecurity(
  config: Pick<Config, 'smtpTls' | 'dkimKey' | 'dkimSelector' | 'mailFrom'>,
): TransportSecurity {
  const { smtpTls: tls, dkimKey: key, dkimSelector: selector } = config;
  const domain = parseMailbox(config.mailFrom)?.address.split('@')[1] ?? '';
  return { tls, dkim: key === undefined ? undefined : { domain, selector, key } };
}

export const SMTP_TIMING: TransportTiming = {
  connectMs: SMTP_CONNECT_MS,
  greetingMs: SMTP_GREETING_MS,
  answerMs: SMTP_ANSWER_MS,
};

/** SMTP over a few persistent connections; the caller limits how many mails are in flight. */
export function openTransport(
  smtpUrl: string,
  timing = SMTP_TIMING,
  { tls, dkim }: TransportSecurity = { tls: 'offered' },
): Transport {
  const connection = {
    // nodemailer counts the greeting as a part of connecting, so a server that is away would be waited for as long as
    // one that greets late. Connecting itself is done below, with a limit of its own.
    connectionTimeout: timing.connectMs + timing.greetingMs,
    greetingTimeout: timing.greetingMs,
    socketTimeout: timing.answerMs,
    requireTLS: tls === 'required',
    tls: { rejectUnauthorized: tls !== 'unchecked' },
  };
  const transporter = createTransport({
    ...connection,
    url: smtpUrl,
    pool: true,
    maxConnections: SMTP_CONNECTIONS_MAX + SMTP_SLOW_CONNECTIONS_MAX + SMTP_LATE_CONNECTIONS_MAX,
    maxMessages: Number.POSITIVE_INFINITY,
    getSocket: (options: Server, callback: Connected) => connectTo(options, timing.connectMs, callback),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const offersUtf8 = createSmtpUtf8Check({ ...connection, ...serverOf(smtpUrl) });
  // The connection that sends a mail reads its source: once it is read to the end, the server may have the whole mail.
  transporter.use('stream', (mail, done) => {
    const { onHandedOver } = mail.data as unknown as HandingOver;
    const open = mail.message.createReadStream.bind(mail.message);
    mail.message.createReadStream = (options) => inOnePiece(open(options)).once('end', onHandedOver);
    done();
  });
  return {
    async send({ from, to, returnTo, ...mail }, giveUp, watch) {
      const cut = new AbortController();
      let isHandedOver = false;
      const onHandedOver = () => {
        isHandedOver = true;
        watch?.handedOver();
      };
      const cutNow = () => cut.abort();
      const cutUnlessHandedOver = () => isHandedOver || cut.abort();
      giveUp?.addEventListener('abort', cutNow);
      watch?.breakOff.addEventListener('abort', cutUnlessHandedOver);
      if (giveUp?.aborted === true) cut.abort();
      // An object: nodemailer reads a text as a list of addresses.
      const recipient = { name: '', address: to };
      try {
        if (needsSmtpUtf8(to) && !(await offersUtf8()))
          return { kind: 'refused', about: 'unsupported', reason: NEEDS_SMTP_UTF8 };
        await inSpanOfTrace({ name: 'mail', kind: 'client' }, () =>
          transporter.sendMail({
            ...mail,
            ...({ onHandedOver } satisfies HandingOver),
            from,
            subject: literalSubject(mail.subject),
            to: recipient,
            ...(returnTo === undefined ? {} : { envelope: envelopeOf(returnTo, recipient) }),
            headers: { ...mail.headers, ...traceHeader() },
            ...(dkim === undefined ? {} : { dkim: signatureOf(dkim, mail.headers) }),
            signal: cut.signal,
          }),
        );
        return { kind: 'sent' };
      } catch (error) {
        if (!cut.signal.aborted) return outcomeOf(error as MailError, isHandedOver);
        return isHandedOver
          ? { kind: 'unanswered', after: 'silence', reason: 'The server had the mail and did not answer in time.' }
          : { kind: 'withdrawn' };
      } finally {
        giveUp?.removeEventListener('abort', cutNow);
        watch?.breakOff.removeEventListener('abort', cutUnlessHandedOver);
      }
    },
    close: () => transporter.close(),
  };
}

/** Travels with a mail through nodemailer to our plugin. */
interface HandingOver {
  readonly onHandedOver: () => void;
}

/** nodemailer takes objects here too, which its types do not say. */
function envelopeOf(from: string, to: Mailbox): { from: string; to: string } {
  return { from, to: to as unknown as string };
}

/** Everything that a reader sees or a program acts on: RFC 8058, for one, asks for headers that our callers set. */
function signatureOf({ domain, selector, key }: DkimKey, headers: Mail['headers']) {
  const names = [...STANDARD_HEADERS, ...Object.keys(headers)];
  return { domainName: domain, keySelector: selector, privateKey: key, headerFieldNames: names.join(':') };
}

const STANDARD_HEADERS = [
  ...['From', 'To', 'Subject', 'Date', 'Message-ID', 'Reply-To'],
  ...['MIME-Version', 'Content-Type', 'Content-Transfer-Encoding'],
];

/** nodemailer composes a mail of a dozen pieces: each would be a write of its own, and wake the server (1.2 times the rate). */
function inOnePiece(source: Readable): Readable {
  const pieces: Buffer[] = [];
  const whole = new Transform({
    transform(piece: Buffer, _encoding, done) {
      pieces.push(piece);
      done();
    },
    flush: (done) => done(null, Buffer.concat(pieces)),
  });
  source.once('error', (error) => whole.destroy(error));
  return source.pipe(whole);
}

function serverOf(smtpUrl: string): { host: string; port?: number; secure: boolean } {
  const { hostname, port, protocol } = new URL(smtpUrl);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, secure: protocol === 'smtps:', ...(port === '' ? {} : { port: Number(port) }) };
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
    connected(null, { connection: gatherWrites(socket) });
  });
}

/** The end of a mail and its final dot, written one after the other, go out together. */
function gatherWrites(socket: Socket): Socket {
  const write = socket.write.bind(socket) as (...parameters: unknown[]) => boolean;
  return Object.assign(socket, {
    write(...parameters: unknown[]) {
      if (socket.writableCorked === 0) {
        socket.cork();
        setImmediate(() => socket.uncork());
      }
      return write(...parameters);
    },
  });
}

function traceHeader(): { traceparent?: string } {
  const traceparent = currentTraceparent();
  return traceparent === undefined ? {} : { traceparent };
}
