import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PatternCase } from '../pattern.ts';

export type Run = (key: string, work: () => Promise<void>) => Promise<void>;
type Twin = { createQueue(): Run };
type Input = { readonly large: number };

export const AT_ONCE = 5;
const LARGE = 2_000;
const SMALL = 10;
const TASK_MS = 10;
const SMALL_MS_MAX = 1_000;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/flow/fair-queue.ts',
  withoutIt: 'ten tasks wait until the thousands that came before them are done',
  asks: `One customer brings ${LARGE} tasks, and another one ${SMALL} a moment later; ${AT_ONCE} run at once.`,
  breaks: `the second customer waits for more than ${SMALL_MS_MAX} ms`,
  holds: `all tasks are done, and the second customer waits for at most ${SMALL_MS_MAX} ms`,
  headline: ({ smallMs = 0 }) =>
    `the small customer waits for ${Math.round(smallMs).toLocaleString('en')} milliseconds`,
  small: { large: 20 },
  full: { large: LARGE },

  async perform({ createQueue }, { large }) {
    const run = createQueue();
    const done: string[] = [];
    const bring = (key: string, tasks: number) =>
      Promise.all(
        Array.from({ length: tasks }, (_, task) =>
          run(key, async () => {
            await sleep(TASK_MS);
            done.push(`${key} ${task}`);
          }),
        ),
      );
    const begun = performance.now();
    const largeOne = bring('large', large);
    await bring('small', SMALL);
    const smallMs = performance.now() - begun;
    await largeOne;
    const digest = createHash('sha256').update(JSON.stringify(done.toSorted())).digest('hex');
    return { digest, figures: { done: done.length, smallMs, seconds: (performance.now() - begun) / 1_000 } };
  },

  isBroken: ({ figures }) => (figures.smallMs ?? 0) > SMALL_MS_MAX,
  isHeld: ({ ending, figures }) =>
    ending === 'finished' &&
    figures.done === LARGE + SMALL &&
    (figures.smallMs ?? Number.POSITIVE_INFINITY) <= SMALL_MS_MAX,
};
