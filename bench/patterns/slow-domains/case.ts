import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PatternCase } from '../pattern.ts';

export interface Sender {
  /** Whether the server has taken a mail to this address. */
  send(to: string): Promise<boolean>;
  close(): void;
}

type Twin = { openSender(smtpUrl: string): Sender };
type Input = { readonly tarpits: number };

const TARPITS = 15;
const OTHERS = 100;
const WAIT_MS = 20_000;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/mail/slow-domains.ts',
  withoutIt: 'a few domains whose servers take minutes for each mail hold up the mails to everybody else',
  asks: `A mail to each of ${TARPITS} domains, about whose recipients the mail server never hears, and then ${OTHERS} to another domain.`,
  breaks: `some of the ${OTHERS} are not sent within ${WAIT_MS / 1_000} s`,
  holds: `all of the ${OTHERS} are sent by then`,
  headline: ({ sent = 0 }) => `${sent.toLocaleString('en')} of ${OTHERS} mails to others sent`,
  small: { tarpits: 0 },
  full: { tarpits: TARPITS },

  async perform({ openSender }, { tarpits }) {
    const server = await startServer();
    const sender = openSender(server.url);
    for (let nth = 0; nth < tarpits; nth++) void sender.send(`you@tarpit-${nth}.test`);
    const begun = performance.now();
    const others = Promise.all(
      Array.from({ length: OTHERS }, async (_, nth) => {
        const to = `${nth}@others.test`;
        while (!(await sender.send(to))) await sleep(100);
      }),
    );
    await Promise.race([others, sleep(WAIT_MS)]);
    const seconds = (performance.now() - begun) / 1_000;
    const sent = server.taken.toSorted();
    sender.close();
    server.close();
    const digest = createHash('sha256').update(JSON.stringify(sent)).digest('hex');
    return { digest, figures: { sent: sent.length, seconds } };
  },

  isBroken: ({ figures }) => (figures.sent ?? 0) < OTHERS,
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.sent === OTHERS,
};

/** Asks the recipient's server before it answers to RCPT, and a tarpit never answers. */
async function startServer(): Promise<{ url: string; readonly taken: string[]; close(): void }> {
  const taken: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    let recipient = '';
    let inMail = false;
    const answer = (line: string): string | undefined => {
      if (inMail) {
        if (line !== '.') return undefined;
        inMail = false;
        taken.push(recipient);
        return '250 taken';
      }
      if (/^RCPT/i.test(line)) {
        recipient = /<(.*)>/.exec(line)?.[1] ?? '';
        return recipient.includes('@tarpit') ? undefined : '250 known';
      }
      inMail = /^DATA/i.test(line);
      return inMail ? '354 go ahead' : '250 ok';
    };
    socket.write('220 pattern.test ESMTP\r\n');
    createInterface({ input: socket }).on('line', (line) => {
      const reply = answer(line);
      if (reply !== undefined) socket.write(`${reply}\r\n`);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

export function mailTo(to: string) {
  const from = { name: '', address: 'us@pattern.test' };
  return { from, to, subject: 'Hello', text: 'Hello', html: '<p>Hello</p>', messageId: `<${to}>`, headers: {} };
}
