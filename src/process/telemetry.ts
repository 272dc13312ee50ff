/**
 * What it is: the spans of a process (src/trace.ts), sent to an OpenTelemetry collector with OTLP over HTTP.
 * What fails without it: a slow request is a line in a log; which statement, job or mail server it waited for is a guess.
 * How it works: loaded only when OTEL_EXPORTER_OTLP_ENDPOINT is set. Each span names its parent by the traceparent that goes
 *   with the work anyway, so nothing is patched and no other context is kept. Ended spans wait in memory and go out in
 *   batches. A collector that is away loses spans, and nothing waits for it. A caller's decision not to sample is kept.
 *   Spans hold names, routes and statements with placeholders; never an address, a parameter or a body.
 * What it costs: when it is off, one comparison per span, and not a byte of these packages. Its bound:
 *   TELEMETRY_SPANS_WAITING_MAX; further ones are dropped. Its proof: test/process/telemetry.test.ts.
 */
import { type Tracer as OtelTracer, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import {
  TELEMETRY_BATCH_SPANS_MAX,
  TELEMETRY_EVERY_MS,
  TELEMETRY_SEND_MS,
  TELEMETRY_SPANS_WAITING_MAX,
  TELEMETRY_TEXT_CHARS_MAX,
} from '../limits.ts';
import { type Span, type SpanStart, type Tracer, useTracer } from '../trace.ts';

export interface TelemetryOptions {
  /** The process, as `service.name`. */
  readonly name: string;
  /** Of the collector; the spans go to its /v1/traces. */
  readonly url: string;
  /** `name=value`, separated by commas. */
  readonly headers?: string | undefined;
  /** Of the traces that begin here, from 0 to 1. */
  readonly share: number;
  readonly everyMs?: number;
}

/** `close` sends what is waiting. */
export function openTelemetry({ name, url, headers, share, everyMs = TELEMETRY_EVERY_MS }: TelemetryOptions) {
  const exporter = new OTLPTraceExporter({
    url: `${url.replace(/\/$/, '')}/v1/traces`,
    headers: headersIn(headers),
    timeoutMillis: TELEMETRY_SEND_MS,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': `tardigrade-${name}`, 'process.pid': process.pid }),
    spanLimits: { attributeValueLengthLimit: TELEMETRY_TEXT_CHARS_MAX },
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        maxQueueSize: TELEMETRY_SPANS_WAITING_MAX,
        maxExportBatchSize: TELEMETRY_BATCH_SPANS_MAX,
        scheduledDelayMillis: everyMs,
        exportTimeoutMillis: TELEMETRY_SEND_MS,
      }),
    ],
  });
  useTracer(tracerOf(provider.getTracer('tardigrade')));
  return {
    async close(): Promise<void> {
      useTracer(undefined);
      await provider.shutdown().catch(() => undefined); // what a collector that is away does not get is lost
    },
  };
}

const KINDS: Record<SpanStart['kind'], SpanKind> = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
};

function tracerOf(tracer: OtelTracer): Tracer {
  return ({ name, kind, attributes = {} }, parent): Span => {
    const span = tracer.startSpan(name, { kind: KINDS[kind], attributes }, contextOf(parent));
    const { traceId, spanId, traceFlags } = span.spanContext();
    return {
      traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
      end({ error, attributes: more = {} } = {}) {
        span.setAttributes(more);
        // What went wrong is in the log, where secrets are redacted.
        if (error !== undefined)
          span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'error' });
        span.end();
      },
    };
  };
}

/** Of a traceparent that src/trace.ts has checked. */
function contextOf(parent: string | undefined) {
  if (parent === undefined) return ROOT_CONTEXT;
  const [, traceId = '', spanId = '', flags = '00'] = parent.split('-');
  const traceFlags = Number.parseInt(flags, 16) & 1; // sampled; the others say nothing to us
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

function headersIn(text = ''): Record<string, string> {
  const pairs = text.split(',').map((pair) => pair.split('='));
  return Object.fromEntries(
    pairs.flatMap(([name = '', ...value]) => (name.trim() === '' ? [] : [[name.trim(), value.join('=').trim()]])),
  );
}
