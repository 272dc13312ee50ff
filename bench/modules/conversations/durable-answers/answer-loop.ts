/**
 * People who answer as soon as their last answer was acknowledged, as many as there are conversations at once, for a
 * while. A closed loop: what is measured is the highest rate, and the wait of each of so many at that rate.
 */
import type { AnswerQuestion } from '../../../../src/modules/conversations/answers.ts';
import type { InvitationKey } from '../../../../src/modules/conversations/conversations.ts';
import { createHistogram, latencyFigures, recordMs } from '../../../load/latency.ts';
import type { LatencyFigures } from '../../../types.ts';
import { QUESTIONS } from './limits.ts';

export interface Block {
  readonly conversations: number;
  readonly warmUpSeconds: number;
  readonly countedSeconds: number;
  /** Conversations in which nobody has answered yet. The next one is taken when one has come to its end. */
  readonly keys: readonly InvitationKey[];
}

export interface BlockFigures {
  /** Acknowledged within the counted time. */
  readonly perSecond: number;
  /** Of all answers, also those of the warm-up and those that ended after the time. */
  readonly acknowledged: number;
  /** Answers that were not taken; whoever gave one gives up. */
  readonly refused: number;
  readonly refusal: string;
  /** From giving an answer to its acknowledgement, of those that were given after the warm-up. */
  readonly latency: LatencyFigures;
  /** All conversations were used up before the time was: the rate is too low. */
  readonly ranOut: boolean;
}

const GREETING_SEQ = 1;

export async function answerForAWhile(answer: AnswerQuestion, block: Block): Promise<BlockFigures> {
  const { conversations, warmUpSeconds, countedSeconds, keys } = block;
  const latency = createHistogram();
  const countFrom = performance.now() + warmUpSeconds * 1000;
  const endsAt = countFrom + countedSeconds * 1000;
  const counts = { counted: 0, acknowledged: 0, refused: 0, refusal: '', ranOut: false };
  let nextKey = 0;

  async function converse(): Promise<void> {
    while (performance.now() < endsAt) {
      const key = keys[nextKey++];
      if (key === undefined) {
        counts.ranOut = true;
        return;
      }
      for (let question = 0; question < QUESTIONS && performance.now() < endsAt; question++)
        if (!(await answerOne(key, question))) return;
    }
  }

  async function answerOne(key: InvitationKey, question: number): Promise<boolean> {
    const begun = performance.now();
    try {
      await answer(key, {
        nonce: `n${question}`,
        questionSeq: GREETING_SEQ + 2 * question,
        content: { text: `It was a good week, number ${question}` },
      });
    } catch (error) {
      counts.refused++;
      counts.refusal = error instanceof Error ? error.message : String(error);
      return false;
    }
    const now = performance.now();
    counts.acknowledged++;
    if (now >= countFrom && now <= endsAt) counts.counted++;
    // Also what is acknowledged after the time: the slowest must not be left out.
    if (begun >= countFrom) recordMs(latency, now - begun);
    return true;
  }

  await Promise.all(Array.from({ length: conversations }, converse));
  const { counted, ...others } = counts;
  return { ...others, perSecond: counted / countedSeconds, latency: latencyFigures(latency) };
}
