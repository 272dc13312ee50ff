/**
 * What it is: work that is asked for while it is under way is done once more afterwards, however often it was asked for.
 * What fails without it: whoever asks because something has just changed is given the work that is under way
 *   (single-flight), which may have read the database before that: the change goes unnoticed. To start anew each time
 *   costs a reading per hint, and a thousand hints come in one second.
 * How it works: per key there is the work that is under way, and whether somebody has asked since it began.
 * What it costs: an entry per key that is under way; whoever asks all the time keeps the work going without a pause. Its
 *   bound: one run at a time and one more after it, per key.
 * Its proof: test/flow/run-again.test.ts.
 */

/** Does not wait and does not throw. What is done again is the work that was asked for last. */
export type RunAgain = (key: string, work: () => Promise<void>) => void;

export function createRunAgain(onError: (error: unknown) => void): RunAgain {
  /** By key of what is under way: what was asked for since it began. */
  const next = new Map<string, (() => Promise<void>) | undefined>();

  async function run(key: string, first: () => Promise<void>): Promise<void> {
    for (let work: typeof first | undefined = first; work !== undefined; work = next.get(key)) {
      next.set(key, undefined);
      await Promise.try(work).catch(onError);
    }
    next.delete(key);
  }

  return (key, work) => {
    if (next.has(key)) next.set(key, work);
    else void run(key, work);
  };
}
