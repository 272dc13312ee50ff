/**
 * The mail catcher's SMTP side: accepts every mail and delivers none.
 *
 * Special recipients for testing a mailer: `bounce-…@` is rejected permanently (550); `defer-…@` is deferred (451) the
 * first time and accepted the next; a mail to `slow-…@` is accepted after MAIL_SLOW_MS.
 *
 * smtp-server delays the greeting of every new connection by 100 ms, to catch clients that talk too soon, and has no
 * option to turn that off. A pooled transport pays for it once per connection, one that reconnects for each mail pays
 * for it each time.
 */
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import {
  MAIL_BYTES_MAX,
  MAIL_CLIENTS_MAX,
  MAIL_CLOSE_MS,
  MAIL_DEFERRED_MAX,
  MAIL_RECIPIENTS_MAX,
  MAIL_SLOW_MS,
} from './limits.ts';
import type { MailStore } from './mail-store.ts';

export function createMailReceiver(store: MailStore): SMTPServer {
  const deferred = new Set<string>();

  function refusal(recipient: string, others: number): Error | null {
    if (others >= MAIL_RECIPIENTS_MAX) return reply(452, '4.5.3 too many recipients');
    if (recipient.startsWith('bounce-')) return reply(550, '5.1.1 no such mailbox');
    if (!recipient.startsWith('defer-') || deferred.delete(recipient)) return null;
    const [oldest] = deferred;
    if (deferred.size >= MAIL_DEFERRED_MAX && oldest !== undefined) deferred.delete(oldest);
    deferred.add(recipient);
    return reply(451, '4.2.0 mailbox is busy, try again later');
  }

  return new SMTPServer({
    banner: 'mail catcher: nothing is delivered',
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    size: MAIL_BYTES_MAX,
    maxClients: MAIL_CLIENTS_MAX,
    closeTimeout: MAIL_CLOSE_MS,
    onRcptTo: ({ address }, session, done) => done(refusal(address.toLowerCase(), session.envelope.rcptTo.length)),
    onData: (stream, session, done) => {
      collect(stream).then(
        (raw) => {
          if (stream.sizeExceeded) return done(reply(552, `5.3.4 larger than ${MAIL_BYTES_MAX} bytes`));
          const envelope = envelopeOf(session);
          const accept = () => done(null, `caught as ${store.add(envelope, raw).id}`);
          return envelope.to.some((to) => to.startsWith('slow-')) ? setTimeout(accept, MAIL_SLOW_MS).unref() : accept();
        },
        (error: Error) => done(error),
      );
    },
  });
}

function envelopeOf({ envelope }: SMTPServerSession): { from: string; to: string[] } {
  return {
    from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
    to: envelope.rcptTo.map(({ address }) => address),
  };
}

/** Data beyond the limit is read and dropped: an SMTP client waits for a reply only after it has sent everything. */
async function collect(stream: SMTPServerDataStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    if (stream.sizeExceeded) chunks.length = 0;
    else chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function reply(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
