/**
 * W3C Trace Context: a caller's or a proxy's `traceparent` goes with a request's work, into its log lines and through
 * the outbox, the queues and the mails that follow from it. Without one there is no trace, and it costs nothing.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

const running = new AsyncLocalStorage<string>();

/** `00-<trace>-<parent>-<flags>`, in lower case, neither of the two all zeros. Of a later version the known part is read. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:$|-)/;
const CHARS = 55;

/** Runs `work` within the trace that the text names; any other text changes nothing. */
export function withinTrace<T>(traceparent: string | null | undefined, work: () => T): T {
  const known = asTraceparent(traceparent);
  return known === undefined ? work() : running.run(known, work);
}

/** What to hand on. */
export function currentTraceparent(): string | undefined {
  return running.getStore();
}

/** For log lines. */
export function traceFields(): { traceId?: string } {
  const traceId = TRACEPARENT.exec(running.getStore() ?? '')?.[1];
  return traceId === undefined ? {} : { traceId };
}

function asTraceparent(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined || !TRACEPARENT.test(text)) return undefined;
  return text.startsWith('00') && text.length !== CHARS ? undefined : text.slice(0, CHARS);
}
