/**
 * What it is: an error that happens thousands of times is logged once a second, with a count.
 * What fails without it: while the database is down, every attempt logs a stack: 0.8 MB a second, which fills the disk
 *   and takes the CPU from those who still get an answer.
 * How it works: the first error of a kind is logged in full. For the rest of the second its kind is only counted, and
 *   the count is logged at the end of the second, as long as there is one.
 * What it costs: a timer while there are errors. Its bound: LOG_STORM_KINDS_MAX kinds a second, the others count as one.
 * Its proof: test/flow/log-storm.test.ts.
 */
import { LOG_STORM_EVERY_MS, LOG_STORM_KINDS_MAX } from '../limits.ts';

/** `write` puts one error into the log: `(fields, text) => log.error(fields, text)`. */
export function createLogStorm(write: (fields: object, text: string) => void, text: string): (error: unknown) => void {
  const counts = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;

  function report(): void {
    for (const [kind, count] of counts) {
      if (count === 0) counts.delete(kind);
      else {
        write({ kind, count }, text);
        counts.set(kind, 0);
      }
    }
    if (counts.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return (error) => {
    const kind = counts.size < LOG_STORM_KINDS_MAX || counts.has(kindOf(error)) ? kindOf(error) : 'others';
    const count = counts.get(kind);
    if (count === undefined) write({ err: error }, text);
    counts.set(kind, count === undefined ? 0 : count + 1);
    timer ??= setInterval(report, LOG_STORM_EVERY_MS).unref();
  };
}

/** Never the whole message: it can contain something that differs each time. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return code === undefined ? error.name : `${error.name} ${code}`;
}
