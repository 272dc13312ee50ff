/** What is answered, for how long, and what the product promises. */
import type { ProfileName } from '../../../scenarios/scenario.ts';

export const RATIO_MIN = 3;
export const QUESTIONS = 8; // of each conversation; whoever has answered them goes on with another one

export interface Cell {
  readonly organisations: number;
  /** People who answer at the same time, each as soon as the answer before is acknowledged. */
  readonly conversations: number;
}

const cells = (conversations: readonly number[]): readonly Cell[] =>
  [1, 10].flatMap((organisations) => conversations.map((count) => ({ organisations, conversations: count })));

export const CELLS: Readonly<Record<ProfileName, readonly Cell[]>> = {
  ci: cells([50]),
  full: cells([100, 1_000, 5_000]),
};

/** Of a block: not counted, then counted. */
export const WARM_UP_SECONDS: Readonly<Record<ProfileName, number>> = { ci: 0.2, full: 1 };
export const COUNTED_SECONDS: Readonly<Record<ProfileName, number>> = { ci: 0.5, full: 3 };

/** Conversations that a block can use up: at 20,000 answers a second, 15,000 of them are begun. */
export const PEOPLE: Readonly<Record<ProfileName, number>> = { ci: 2_000, full: 20_000 };

export const BLOCK_ANSWER_MS = 60_000; // of the program, after a block's own time
