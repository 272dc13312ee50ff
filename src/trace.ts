/**
 * W3C Trace Context: a caller's or a proxy's `traceparent` goes with a request's work, into its log lines and through
 * the outbox, the queues and the mails that follow from it. Without one there is no trace, and it costs nothing.
 *
 * What is done within a trace can be measured as its spans. That takes a tracer, which src/process/telemetry.ts brings where
 * it is configured; without one, a span is its work and nothing else. With one, requests, deliveries and jobs begin a trace
 * when they come without.
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

export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanStart {
  readonly name: string;
  readonly kind: 'server' | 'client' | 'consumer';
  readonly attributes?: Attributes;
}

export interface Span {
  /** Of what is done within it. */
  readonly traceparent: string;
  end(outcome?: { readonly error?: unknown; readonly attributes?: Attributes }): void;
}

/** `parent`: the traceparent that it belongs to. */
export type Tracer = (start: SpanStart, parent: string | undefined) => Span;

let tracer: Tracer | undefined;

/** Until it is taken away with undefined. There is one of a process, as there is one trace of what it does at a time. */
export function useTracer(given: Tracer | undefined): void {
  tracer = given;
}

/** For those who would not even say what a span is about otherwise. */
export function isMeasuring(): boolean {
  return tracer !== undefined;
}

/** A span that its caller ends; undefined without a tracer. Its work runs within its `traceparent`. */
export function beginSpan(start: SpanStart): Span | undefined {
  return tracer?.(start, running.getStore());
}

/** Runs `work` as a span of the trace, or of a new one. */
export function inSpan<T>(start: SpanStart, work: () => Promise<T>): Promise<T> {
  const span = tracer?.(start, running.getStore());
  return span === undefined ? work() : running.run(span.traceparent, () => ended(span, work));
}

/** The same for what is not worth a trace of its own. */
export function inSpanOfTrace<T>(start: SpanStart, work: () => Promise<T>): Promise<T> {
  return tracer === undefined || running.getStore() === undefined ? work() : inSpan(start, work);
}

async function ended<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    const value = await work();
    span.end();
    return value;
  } catch (error) {
    span.end({ error });
    throw error;
  }
}

function asTraceparent(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined || !TRACEPARENT.test(text)) return undefined;
  return text.startsWith('00') && text.length !== CHARS ? undefined : text.slice(0, CHARS);
}
