import { createHash } from 'node:crypto';
import type { PatternCase } from '../pattern.ts';

/** What a receiver can say to the sender of its lines. */
export interface Sender {
  stored(line: number): void;
  /** This line was not stored; the connection goes on. */
  refused(line: number): void;
  /** The connection is over. */
  hangUp(): void;
}

/** Takes lines as fast as they come. */
export type Receiver = (line: number) => void;
type Twin = { createReceiver(store: (line: number) => Promise<void>, sender: Sender): Receiver };
type Input = { readonly senders: number; readonly fails: boolean };

const SENDERS = 1_000;
const LINES = 40;
/** The write during which the store is away for a moment. */
const FAILS_AT = 15;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/flow/ordered-queue.ts',
  withoutIt: 'after a message that failed the next one is stored first',
  asks: `${SENDERS} senders write ${LINES} lines each without waiting; the store fails once in each, and what was not stored is sent again.`,
  breaks: 'lines are stored in another order than they were written',
  holds: 'all lines of every sender are stored, in the order in which they were written',
  headline: ({ outOfOrder = 0 }) => `${outOfOrder} of ${SENDERS.toLocaleString('en')} texts out of order`,
  small: { senders: 10, fails: false },
  full: { senders: SENDERS, fails: true },

  async perform({ createReceiver }, { senders, fails }) {
    const texts = await Promise.all(Array.from({ length: senders }, () => write(createReceiver, fails)));
    const written = JSON.stringify(Array.from({ length: LINES }, (_, line) => line));
    const outOfOrder = texts.filter((text) => JSON.stringify(text) !== written).length;
    const lines = texts.reduce((sum, text) => sum + new Set(text).size, 0);
    const digest = createHash('sha256').update(JSON.stringify(texts)).digest('hex');
    return { digest, figures: { outOfOrder, lines } };
  },

  isBroken: ({ figures }) => (figures.outOfOrder ?? 0) > 0,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' && figures.outOfOrder === 0 && figures.lines === SENDERS * LINES,
};

/** One sender: it keeps a line until that is stored, and sends it again when it hears otherwise. */
async function write(createReceiver: Twin['createReceiver'], fails: boolean): Promise<number[]> {
  const text: number[] = [];
  const unsent = new Set(Array.from({ length: LINES }, (_, line) => line));
  const done = Promise.withResolvers<void>();
  let writes = 0;
  const store = async (line: number) => {
    await new Promise((resolve) => setImmediate(resolve));
    if (fails && ++writes === FAILS_AT) throw new Error('The server closed the connection unexpectedly.');
    text.push(line);
  };
  let receive: Receiver;
  const sender: Sender = {
    stored(line) {
      unsent.delete(line);
      if (unsent.size === 0) done.resolve();
    },
    refused: (line) => receive(line),
    hangUp: connect,
  };
  function connect(): void {
    receive = createReceiver(store, sender);
    for (const line of unsent) receive(line);
  }
  connect();
  await done.promise;
  return text;
}
