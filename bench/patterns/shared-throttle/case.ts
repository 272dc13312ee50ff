import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { MAIL_PACE } from '../../../src/limits.ts';
import { openRedis } from '../../../src/redis/redis.ts';
import type { SharedPace } from '../../../src/redis/shared-throttle.ts';
import { BENCH_LOG } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';

export interface Parts {
  readonly redis: Redis;
  readonly name: string;
  readonly perSecond: number;
  readonly processes: number;
  readonly pace: SharedPace;
}

type Twin = { openThrottle(parts: Parts): { pass(): Promise<void> } };
type Input = { readonly processes: number; readonly mails: number };

const PER_SECOND = 100;
const PROCESSES = 4;
const MAILS = 1_000;
/** A provider counts by the second, and the passes of one may fall into the next. */
const IN_ONE_SECOND_MAX = PER_SECOND * 1.15;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/redis/shared-throttle.ts',
  withoutIt: "each instance keeps to the provider's rate, and together they exceed it",
  asks: `${PROCESSES} processes send ${MAILS} mails through a provider that takes ${PER_SECOND} a second.`,
  breaks: `more than ${IN_ONE_SECOND_MAX} are sent in one second`,
  holds: `all are sent, and at most ${IN_ONE_SECOND_MAX} in any one second`,
  headline: ({ inOneSecond = 0 }) => `up to ${inOneSecond.toLocaleString('en')} mails in a second`,
  small: { processes: 1, mails: 50 },
  full: { processes: PROCESSES, mails: MAILS },

  async perform({ openThrottle }, { processes, mails }, { redisUrl }) {
    const name = `pattern-${process.pid}-${performance.now()}`;
    const passedAt: number[] = [];
    let sent = 0;
    const begun = performance.now();
    await Promise.all(
      Array.from({ length: processes }, async () => {
        const redis = await openRedis(redisUrl, BENCH_LOG);
        const throttle = openThrottle({ redis, name, perSecond: PER_SECOND, processes, pace: MAIL_PACE });
        while (sent < mails) {
          sent++;
          await throttle.pass();
          passedAt.push(performance.now());
        }
        redis.disconnect();
      }),
    );
    const seconds = (performance.now() - begun) / 1_000;
    const digest = createHash('sha256').update(String(passedAt.length)).digest('hex');
    return { digest, figures: { sent: passedAt.length, inOneSecond: mostInOneSecond(passedAt), seconds } };
  },

  isBroken: ({ figures }) => (figures.inOneSecond ?? 0) > IN_ONE_SECOND_MAX,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' &&
    figures.sent === MAILS &&
    (figures.inOneSecond ?? Number.POSITIVE_INFINITY) <= IN_ONE_SECOND_MAX,
};

function mostInOneSecond(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  let from = 0;
  let most = 0;
  for (const [to, time] of sorted.entries()) {
    while (time - (sorted[from] as number) >= 1_000) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}
