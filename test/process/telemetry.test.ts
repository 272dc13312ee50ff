import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/embedded/ports.ts';
import { TELEMETRY_SEND_MS } from '../../src/limits.ts';
import { openTelemetry } from '../../src/process/telemetry.ts';
import { currentTraceparent, inSpan, withinTrace } from '../../src/trace.ts';
import { start as startMailer } from '../../workers/mailer.ts';
import type { ApiClient } from '../api-client.ts';
import { until } from '../database.ts';
import { mailsTo, readMail } from '../mails.ts';
import { type RunningApi, runApi } from '../running-api.ts';
import { startWorker, type TestWorker, testEnvironment } from '../worker.ts';

/** As a collector gets it: OTLP in JSON. */
interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly { key: string; value: object }[];
}

const PARENT = 'b7ad6b7169203331';
const traceparent = (traceId: string, flags = '01') => `00-${traceId}-${PARENT}-${flags}`;
const ROOT = path.resolve(import.meta.dirname, '..', '..');
const run = promisify(execFile);

let collector: Server;
let url: string;
let bodies: string[] = [];
let headers: Record<string, unknown> = {};
let api: RunningApi;
let mailer: TestWorker;
let owner: ApiClient;
beforeAll(async () => {
  collector = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    headers = request.headers;
    if (request.url === '/v1/traces') bodies.push(Buffer.concat(chunks).toString());
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  api = await runApi();
  owner = await api.newOwner();
  mailer = await startWorker('mailer', startMailer, await testEnvironment(api.database));
});
afterAll(async () => {
  await mailer?.stop();
  await api?.stop();
  collector?.closeAllConnections();
  collector?.close();
});

/** Traces that begin here are not sent, so that a test sees its own only. */
function measure(options: { url?: string; share?: number; headers?: string } = {}) {
  bodies = [];
  const telemetry = openTelemetry({ name: 'test', url, share: 0, everyMs: 50, ...options });
  onTestFinished(() => telemetry.close());
  return telemetry;
}

function spans(): SentSpan[] {
  type Sent = { resourceSpans: { scopeSpans: { spans: SentSpan[] }[] }[] };
  return bodies.flatMap((body) =>
    (JSON.parse(body) as Sent).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
  );
}

test('a request, its statements, the delivery, the job and the mail are one trace, each within what caused it', async () => {
  const telemetry = measure({ headers: 'x-team=ours, authorization=Bearer a=b' });
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const email = `invited-${Date.now()}@traced.test`;
  const sent = { traceparent: traceparent(traceId) };
  expect((await owner.send('POST', '/api/v1/invitations', { email, role: 'viewer' }, sent)).status).toBe(201);
  const [mail] = await until('the mail', async () => {
    const mails = await mailsTo(email);
    return mails.length > 0 ? mails : undefined;
  });
  const named = await until('all spans', () => {
    const byName = new Map(spans().map((span) => [span.name, span]));
    return byName.has('mail') && byName.has('job of account-mails') ? byName : undefined;
  });
  await telemetry.close();

  expect(new Set(spans().map((span) => span.traceId))).toEqual(new Set([traceId]));
  const request = named.get('POST /api/v1/invitations');
  const delivery = named.get('outbox account.mail-wanted');
  const job = named.get('job of account-mails');
  expect(request).toMatchObject({ parentSpanId: PARENT, kind: 2 });
  expect(request?.attributes).toContainEqual({ key: 'http.response.status_code', value: { intValue: 201 } });
  const statements = spans().filter((span) => span.name === 'postgresql insert');
  expect(statements.map(({ parentSpanId }) => parentSpanId)).toContain(request?.spanId);
  expect(delivery?.parentSpanId).toBe(request?.spanId);
  expect(job?.parentSpanId).toBe(delivery?.spanId);
  expect(named.get('mail')?.parentSpanId).toBe(job?.spanId);
  // What the next system is told is the mail's own span.
  const { headers: written } = await readMail(mail?.id ?? 0);
  expect(written['traceparent']).toBe(`00-${traceId}-${named.get('mail')?.spanId}-01`);
  expect(headers).toMatchObject({ 'x-team': 'ours', authorization: 'Bearer a=b' });
  // Nothing that people typed.
  expect(bodies.join()).not.toContain(email);
  expect(bodies.join()).not.toContain(owner.token);
});

test('what a caller does not want to be sampled is not sent, and the trace goes on all the same', async () => {
  const telemetry = measure({ share: 1 });
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const seen = await withinTrace(traceparent(traceId, '00'), () =>
    inSpan({ name: 'quiet', kind: 'consumer' }, async () => currentTraceparent()),
  );
  expect(seen).toMatch(new RegExp(`^00-${traceId}-(?!${PARENT})[0-9a-f]{16}-00$`));
  await telemetry.close();
  expect(spans().filter((span) => span.traceId === traceId)).toEqual([]);
});

test('work without a trace begins one, and a fault is marked by its kind, without its words', async () => {
  const telemetry = measure({ share: 1 });
  const failing = inSpan({ name: 'failing', kind: 'consumer' }, async () => {
    throw new TypeError('the password of ada@acme.test');
  });
  await expect(failing).rejects.toThrow('the password');
  await telemetry.close();
  const [span] = spans().filter(({ name }) => name === 'failing');
  expect(span).toMatchObject({ status: { code: 2, message: 'TypeError' } });
  expect(span).not.toHaveProperty('parentSpanId');
  expect(bodies.join()).not.toContain('ada@acme.test');
});

test('a collector that is away holds up neither an answer nor the stop', async () => {
  const telemetry = measure({ share: 1, url: `http://127.0.0.1:${await freePort()}` });
  expect((await owner.get('/api/v1/me')).status).toBe(200);
  const begun = performance.now();
  await telemetry.close();
  expect(performance.now() - begun).toBeLessThan(2 * TELEMETRY_SEND_MS);
});

test.each([
  ['without a collector nothing of OpenTelemetry is loaded', {}, false],
  ['with one it is', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }, true],
])('%s', async (_, more, isLoaded) => {
  const code = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    const { runProcess } = await import('${ROOT}/src/process/run-process.ts');
    const { start } = await import('${ROOT}/workers/api.ts');
    await runProcess('api', start);
    process.stdout.write(JSON.stringify(loaded), () => process.kill(process.pid, 'SIGTERM'));`;
  const env = { PATH: process.env['PATH'], ...(await testEnvironment(api.database)), ...more };
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { env, maxBuffer: 10_000_000 });
  const loaded = JSON.parse(stdout) as string[];
  expect(loaded.length).toBeGreaterThan(100);
  // The API package alone is prom-client's: 60 kB of types and no-ops.
  const ours = loaded.filter((one) => /telemetry\.ts$|@opentelemetry\/(?!api\/)/.test(one));
  expect(ours.length > 0).toBe(isLoaded);
});
