/**
 * The product's mailer is measured against this: nodemailer with a pool of as many connections, and a list of addresses
 * in memory. `POST /` sends a mail to each of `count` addresses and answers with how long it took.
 */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { createTransport } from 'nodemailer';
import { SMTP_CONNECTIONS_MAX } from '../../src/limits.ts';
import type { Mail } from '../../src/mail/transport.ts';

/** More than connections, so that none of them waits for the next mail. */
const AT_ONCE = 4 * SMTP_CONNECTIONS_MAX;

export interface ToSend {
  readonly sample: Mail;
  readonly count: number;
  /** Of the addresses and the Message-IDs. */
  readonly domain: string;
}

const [port, url] = process.argv.slice(2);
const transporter = createTransport({
  url,
  pool: true,
  maxConnections: SMTP_CONNECTIONS_MAX,
  maxMessages: Number.POSITIVE_INFINITY,
});

createServer(async (request, response) => {
  if (request.method !== 'POST') return response.end('ready');
  const seconds = await sendAll(JSON.parse(await text(request)) as ToSend);
  return response.end(JSON.stringify({ seconds }));
}).listen(Number(port), '127.0.0.1');

/** Seconds between the first and the last answer. */
async function sendAll({ sample, count, domain }: ToSend): Promise<number> {
  let next = 0;
  let firstAt: number | undefined;
  const sender = async () => {
    while (next < count) {
      const nth = next++;
      await transporter.sendMail({
        ...sample,
        to: { name: '', address: `person-${nth}@${domain}` },
        messageId: `<${nth}@${domain}>`,
        headers: { ...sample.headers },
      });
      firstAt ??= performance.now();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
  return (performance.now() - (firstAt ?? performance.now())) / 1_000;
}
