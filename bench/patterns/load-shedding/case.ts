import { createHash } from 'node:crypto';
import { type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { PatternCase } from '../pattern.ts';

export type Work = () => Promise<void>;
type Twin = { openServer(work: Work): Promise<Server> };
type Input = { readonly perSecond: number; readonly seconds: number };

/** What the server can do: as many at once, each for so long, as with connections to a database. */
const AT_ONCE = 5;
const WORK_MS = 20;
const CAPACITY_PER_SECOND = (AT_ONCE * 1_000) / WORK_MS;
const SECONDS = 12;
/** After this nobody wants the answer any more. */
const PATIENCE_MS = 1_500;
const GOODPUT_MIN = 0.7;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/http/load-shedding.ts',
  withoutIt: 'under overload every request times out',
  asks: `For ${SECONDS} seconds twice as many requests come as can be answered (${2 * CAPACITY_PER_SECOND} a second); an answer is of use within ${PATIENCE_MS} ms.`,
  breaks: 'less than half of what the server can do is of use',
  holds: `at least ${GOODPUT_MIN * 100} % of it is`,
  headline: ({ share = 0 }) => `${Math.round(share * 100)} % of the capacity of use`,
  small: { perSecond: 20, seconds: 1 },
  full: { perSecond: 2 * CAPACITY_PER_SECOND, seconds: SECONDS },

  async perform({ openServer }, { perSecond, seconds }) {
    const places = pLimit(AT_ONCE);
    const server = await openServer(() => places(() => sleep(WORK_MS)));
    const { port } = server.address() as AddressInfo;
    const count = perSecond * seconds;
    const asked: Promise<Answer>[] = [];
    const begun = performance.now();
    while (asked.length < count) {
      const due = Math.min(count, Math.floor(((performance.now() - begun) / 1_000) * perSecond) + 1);
      while (asked.length < due) asked.push(ask(port));
      await sleep(5);
    }
    const answers = await Promise.all(asked);
    server.closeAllConnections();
    server.close();
    const useful = answers.filter(({ status, ms }) => status === 200 && ms <= PATIENCE_MS).length;
    const refused = answers.filter(({ status }) => status === 503).length;
    const digest = createHash('sha256')
      .update(answers.map(({ status }) => status).join())
      .digest('hex');
    return { digest, figures: { useful, refused, share: useful / (CAPACITY_PER_SECOND * seconds) } };
  },

  isBroken: ({ ending, figures }) =>
    ending !== 'finished' || ((figures.useful ?? 0) > 100 && (figures.share ?? 1) < 0.5),
  isHeld: ({ ending, figures }) => ending === 'finished' && (figures.share ?? 0) >= GOODPUT_MIN,
};

interface Answer {
  readonly status: number;
  readonly ms: number;
}

function ask(port: number): Promise<Answer> {
  const begun = performance.now();
  return new Promise((resolve) => {
    const end = (status: number) => resolve({ status, ms: performance.now() - begun });
    const asked = request(
      { port, host: '127.0.0.1', path: '/api/v1/page', agent: false },
      (answer: IncomingMessage) => {
        answer.resume().once('end', () => end(answer.statusCode ?? 0));
      },
    );
    asked.once('error', () => end(0));
    asked.end();
  });
}
