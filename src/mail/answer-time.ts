/**
 * How long the mail server takes over a mail: the mean of the mails that it has now, each by the time for which it has had
 * it, and of those that it answered in the last ANSWER_KEPT_SECONDS. A server that stands still and one that crawls show in
 * the same number. How many mails are in flight does not tell them from a long run at full speed.
 */
import { ANSWER_KEPT_SECONDS } from '../limits.ts';

export interface AnswerTime {
  /** A mail is with the server from now until what this returns is called. */
  begin(): () => void;
  /** Seconds; 0 when there was no mail. */
  mean(): number;
}

export function createAnswerTime(now: () => number = () => performance.now()): AnswerTime {
  const begun = new Set<{ readonly at: number }>();
  /** By the second in which they were answered: one entry each, at any rate. */
  const answered = new Map<number, { count: number; ms: number }>();

  function forget(): void {
    const oldest = Math.floor(now() / 1_000) - ANSWER_KEPT_SECONDS;
    for (const second of answered.keys()) if (second <= oldest) answered.delete(second);
  }

  return {
    begin() {
      const mail = { at: now() };
      begun.add(mail);
      return () => {
        begun.delete(mail);
        forget();
        const second = Math.floor(now() / 1_000);
        const { count, ms } = answered.get(second) ?? { count: 0, ms: 0 };
        answered.set(second, { count: count + 1, ms: ms + now() - mail.at });
      };
    },
    mean() {
      forget();
      const waiting = [...begun].map(({ at }) => ({ count: 1, ms: now() - at }));
      const all = [...answered.values(), ...waiting];
      const count = all.reduce((sum, one) => sum + one.count, 0);
      return count === 0 ? 0 : all.reduce((sum, one) => sum + one.ms, 0) / count / 1_000;
    },
  };
}
