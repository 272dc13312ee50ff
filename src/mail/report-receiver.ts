/**
 * A small SMTP server for the mails that mail servers write back: bounces and complaints. It takes mail for two kinds of
 * addresses only, those that we have signed as envelope senders (src/mail/mail-reference.ts) and `complaints@` the domain,
 * so it is of no use to anybody else: it relays nothing, keeps nothing and answers nothing. Reading costs CPU, and anybody can
 * send something to read: each network, and all together, have so much of it in a second (REPORT_READING_OF_NETWORK,
 * REPORT_READING). Whoever has used it up is told to come back, as every mail server does.
 *
 * A report is answered with 250 when what it says is stored. If it cannot be stored the server is told to come back, and
 * servers do so for days. With a certificate it offers STARTTLS, and it reads the certificate's files again every
 * REPORT_CERTIFICATE_EVERY_MS, so that a renewed one is used without a restart. Without one, the MX of the domain is a mail
 * server or a provider, which passes reports on (docs/modules/suppressions/bounces.md).
 */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { SMTPServer, type SMTPServerAddress, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { StartError } from '../errors.ts';
import { createFairPlaces } from '../flow/fair-places.ts';
import { createTokenBuckets } from '../flow/token-bucket.ts';
import {
  REPORT_BYTES_MAX,
  REPORT_CERTIFICATE_EVERY_MS,
  REPORT_CLOSE_MS,
  REPORT_CONNECTIONS_MAX,
  REPORT_CONNECTIONS_OF_NETWORK_MAX,
  REPORT_IDLE_MS,
  REPORT_READING,
  REPORT_READING_OF_NETWORK,
  REPORT_REFERENCES_MAX,
  REPORT_SESSION_MS,
} from '../limits.ts';
import { type DeliveryReport, parseDeliveryReport } from './delivery-report.ts';
import { type MailReference, readReference } from './mail-reference.ts';

export interface ReportReceiver {
  readonly port: number;
  close(): Promise<void>;
}

export interface ReportReceiverOptions {
  readonly host: string;
  readonly port: number;
  /** The domain of the addresses that it takes mail for. */
  readonly domain: string;
  readonly secretKey: string;
  /** As limits count it, of an address. */
  readonly networkOf: (address: string) => string;
  /** For STARTTLS. */
  readonly certificate?: CertificateFiles | undefined;
  readonly certificateEveryMs?: number;
  /** Stores what happened to the mail. Rejects when that is not possible now. */
  readonly take: (reference: MailReference, event: DeliveryReport['event']) => Promise<void>;
  readonly onFault: (error: unknown) => void;
  /** The CPU time that this thread has used, in milliseconds. */
  readonly cpuMs?: () => number;
}

/** Paths of files in PEM. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

export const COMPLAINTS_LOCAL_PART = 'complaints';

/** Rejects with a StartError for a certificate that cannot be used. */
export async function openReportReceiver(options: ReportReceiverOptions): Promise<ReportReceiver> {
  const { host, port, domain, secretKey, networkOf, certificate, take, onFault, cpuMs = threadCpuMs } = options;
  const pair = certificate && readCertificate(certificate);

  function isOurs(address: string): boolean {
    const at = address.lastIndexOf('@');
    if (address.slice(at + 1).toLowerCase() !== domain) return false;
    const local = address.slice(0, at).toLowerCase();
    return local === COMPLAINTS_LOCAL_PART || readReference(secretKey, local) !== undefined;
  }

  async function takeMail(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
    const mail = await readAll(stream);
    const sentTo = session.envelope.rcptTo.map(({ address }) => address);
    const begun = cpuMs();
    const report = await parseDeliveryReport(mail, sentTo);
    spend(networkOf(session.remoteAddress), cpuMs() - begun);
    for (const text of report?.references.slice(0, REPORT_REFERENCES_MAX) ?? []) {
      const reference = readReference(secretKey, text);
      if (reference !== undefined && report !== undefined) return take(reference, report.event);
    }
  }

  const reading = createTokenBuckets(REPORT_READING);
  const readingOfNetwork = createTokenBuckets(REPORT_READING_OF_NETWORK);

  /** What a report costs is known afterwards: so a network may go below nothing once, and waits until that is made up for. */
  function spend(network: string, ms: number): void {
    readingOfNetwork.fine(network, ms);
    reading.fine(EVERYBODY, ms);
  }

  const places = createFairPlaces({ places: REPORT_CONNECTIONS_MAX, perKey: REPORT_CONNECTIONS_OF_NETWORK_MAX });
  const held = new Map<string, () => void>();

  const server = new SMTPServer({
    name: domain,
    banner: 'bounces and complaints only',
    disabledCommands: pair === undefined ? ['AUTH', 'STARTTLS'] : ['AUTH'],
    ...pair,
    minVersion: 'TLSv1.2',
    disableReverseLookup: true,
    authOptional: true,
    logger: false,
    size: REPORT_BYTES_MAX,
    maxClients: REPORT_CONNECTIONS_MAX,
    socketTimeout: REPORT_IDLE_MS,
    closeTimeout: REPORT_CLOSE_MS,
    onConnect({ id, remoteAddress }, done) {
      const leave = places.enter(
        networkOf(remoteAddress),
        () => undefined,
        () => true,
      );
      if (leave === undefined) return done(replyOf(421, '4.7.0 too many connections at once, try again later'));
      held.set(id, leave);
      done();
    },
    onClose({ id }) {
      held.get(id)?.();
      held.delete(id);
    },
    onMailFrom(_address, { remoteAddress }, done) {
      const isUsedUp = readingOfNetwork.owes(networkOf(remoteAddress)) || reading.owes(EVERYBODY);
      done(isUsedUp ? replyOf(451, '4.7.0 too many reports for now, bring this one later') : undefined);
    },
    onRcptTo({ address }: SMTPServerAddress, session, done) {
      // One, as each of our mails has one sender in its envelope.
      if (session.envelope.rcptTo.length > 0) return done(replyOf(452, '4.5.3 one at a time'));
      done(isOurs(address) ? undefined : replyOf(550, '5.1.1 no such mailbox'));
    },
    onData(stream, session, done) {
      takeMail(stream, session).then(
        () => done(),
        (error: unknown) => {
          if (error instanceof TooLarge) return done(replyOf(552, '5.3.4 larger than any report'));
          onFault(error);
          done(replyOf(451, '4.3.0 not now, try again later'));
        },
      );
    },
  });
  server.server.on('connection', (socket: Socket) => {
    const timer = setTimeout(() => socket.destroy(), REPORT_SESSION_MS);
    socket.once('close', () => clearTimeout(timer));
  });
  // A client that goes away in the middle is not a fault of ours.
  server.on('error', () => undefined);
  const renewal = certificate && setInterval(renew, options.certificateEveryMs ?? REPORT_CERTIFICATE_EVERY_MS).unref();

  /** A half-written pair is left for the next time. */
  function renew(): void {
    try {
      server.updateSecureContext(readCertificate(certificate as CertificateFiles));
    } catch (error) {
      onFault(error);
    }
  }

  return new Promise((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(port, host, () => {
      server.server.off('error', reject);
      const address = server.server.address() as { port: number };
      resolve({
        port: address.port,
        close() {
          clearInterval(renewal);
          return new Promise<void>((closed) => server.close(() => closed()));
        },
      });
    });
  });
}

const EVERYBODY = 'everybody';

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** A few kilobytes, read at once: nothing is served meanwhile. */
function readCertificate(files: CertificateFiles): { cert: Buffer; key: Buffer } {
  try {
    const pair = { cert: readFileSync(files.certificate), key: readFileSync(files.key) };
    createSecureContext(pair);
    return pair;
  } catch (error) {
    throw new StartError(
      `MAIL_BOUNCE_CERTIFICATE and MAIL_BOUNCE_KEY cannot be used: ${(error as Error).message}. They are the paths of a certificate and its key in PEM.`,
    );
  }
}

class TooLarge extends Error {}

/** Everything is read, or the client would not hear the answer; no more than REPORT_BYTES_MAX of it is kept. */
async function readAll(stream: SMTPServerDataStream): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= REPORT_BYTES_MAX) chunks.push(chunk);
    else chunks.length = 0;
  }
  if (bytes > REPORT_BYTES_MAX) throw new TooLarge();
  return Buffer.concat(chunks);
}

function replyOf(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
