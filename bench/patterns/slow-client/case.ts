import { createHash } from 'node:crypto';
import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PatternCase } from '../pattern.ts';

export type SignIn = (body: unknown) => Promise<object>;
type Twin = { openServer(signIn: SignIn): Promise<Server> };
type Input = { readonly drippers: number; readonly people: number };

const DRIPPERS = 250;
const PEOPLE = 200;
const PERSON_EVERY_MS = 25;
const DRIP_EVERY_MS = 500;
const REFUSED_MAX = 2;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/http/slow-client.ts',
  withoutIt: 'a few hundred requests whose bodies never end take the whole API away',
  asks: `${PEOPLE} people sign in one after another while ${DRIPPERS} connections send a body that never ends, byte by byte.`,
  breaks: 'more than half of the people are refused',
  holds: `at most ${REFUSED_MAX} people are refused`,
  headline: ({ refused = 0 }) => `${refused} of ${PEOPLE} people refused`,
  small: { drippers: 0, people: 20 },
  full: { drippers: DRIPPERS, people: PEOPLE },

  async perform({ openServer }, { drippers, people }) {
    const server = await openServer(async (body) => ({ welcome: body }));
    const { port } = server.address() as AddressInfo;
    const dripping = drip(port, drippers);
    await sleep(drippers === 0 ? 0 : 1_000);
    const answers: string[] = [];
    let refused = 0;
    for (let person = 0; person < people; person++) {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/sessions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify({ person }),
      });
      if (answer.status === 200) answers.push(await answer.text());
      else refused++;
      await sleep(PERSON_EVERY_MS);
    }
    dripping.stop();
    server.closeAllConnections();
    server.close();
    const digest = createHash('sha256').update(answers.join('\n')).digest('hex');
    return { digest, figures: { refused, replaced: dripping.replaced() } };
  },

  isBroken: ({ ending, figures }) => ending === 'finished' && (figures.refused ?? 0) > PEOPLE / 2,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' && (figures.refused ?? Number.POSITIVE_INFINITY) <= REFUSED_MAX,
};

/** Each connection that ends is replaced, as an attacker would. */
function drip(port: number, count: number) {
  let isStopped = false;
  let replaced = 0;
  function hold(): void {
    const socket = connect(port, '127.0.0.1');
    socket.write(
      'POST /api/v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{',
    );
    const timer = setInterval(() => (isStopped ? socket.destroy() : socket.write(' ')), DRIP_EVERY_MS);
    socket.on('error', () => undefined);
    socket.resume().once('end', () => void socket.destroy());
    socket.once('close', () => {
      clearInterval(timer);
      if (isStopped) return;
      replaced++;
      setTimeout(hold, 10);
    });
  }
  for (let n = 0; n < count; n++) hold();
  return {
    stop: () => {
      isStopped = true;
    },
    replaced: () => replaced,
  };
}
