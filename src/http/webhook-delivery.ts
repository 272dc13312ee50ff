/**
 * What it is: one call of a webhook that can do no harm, neither here nor there, and the time of the next one if it fails.
 * What fails without it: a `fetch` after the commit follows the address anywhere, waits for as long as it takes, reads an
 *   answer without an end, and is gone with the process; while the receiver is down for a minute, all events of it are lost.
 * How it works: an event goes through the outbox, and its call is made from there until it has succeeded. The call is
 *   signed (webhook-signature), goes to a public address only (ssrf-guard), follows no redirect, and has an end: to
 *   connect, to answer, and of the answer's body, which is read and dropped. 2xx is success; 410 means that nobody wants it
 *   any more; everything else is tried again by the schedule of the Standard Webhooks, with jitter, for about a day.
 *   The result is a value: the other side may do what it wants without an exception here.
 * What it costs: at least once, not exactly once. When the answer is lost, or a process dies before it has stored it, the
 *   call is made again, with the same id, by which the receiver drops it.
 * Its bound: WEBHOOK_CONNECT_MS, WEBHOOK_ANSWER_MS, WEBHOOK_ANSWER_BYTES_MAX, WEBHOOK_INTERIM_ANSWERS_MAX,
 *   WEBHOOK_RETRIES_MS.
 * Its proof: test/http/webhook-delivery.test.ts, bench/patterns/webhook-delivery.
 */
import { type IncomingMessage, request as requestByHttp } from 'node:http';
import { type RequestOptions, request as requestByHttps } from 'node:https';
import type { BlockList, LookupFunction, TcpNetConnectOpts } from 'node:net';
import {
  HEADER_BYTES_MAX,
  WEBHOOK_ANSWER_BYTES_MAX,
  WEBHOOK_ANSWER_MS,
  WEBHOOK_CONNECT_MS,
  WEBHOOK_INTERIM_ANSWERS_MAX,
  WEBHOOK_REASON_CHARS_MAX,
  WEBHOOK_RETRIES_MS,
  WEBHOOK_RETRY_AFTER_MS_MAX,
  WEBHOOK_RETRY_JITTER,
} from '../limits.ts';
import { within } from '../within.ts';
import { type Address, type Lookup, parseTarget, resolveTarget } from './ssrf-guard.ts';
import { signWebhook } from './webhook-signature.ts';

export interface WebhookCall {
  readonly url: string;
  /** `whsec_…`: the one in force, and for some time the one before it. */
  readonly secrets: readonly string[];
  readonly id: string;
  /** JSON. */
  readonly body: string;
}

export type WebhookOutcome =
  | { readonly kind: 'delivered'; readonly status: number; readonly ms: number }
  /** 410: the receiver wants no more of it. */
  | { readonly kind: 'gone'; readonly status: number; readonly reason: string; readonly ms: number }
  | {
      readonly kind: 'failed';
      /** Null: there was no answer. */
      readonly status: number | null;
      /** A sentence for the people of the organisation. */
      readonly reason: string;
      readonly ms: number;
      /** What the receiver has asked for. */
      readonly retryAfterMs?: number | undefined;
    }
  /** `signal` was aborted: whether it has arrived is not known. */
  | { readonly kind: 'interrupted' };

export interface WebhookOptions {
  /** May be called although they are not public; see networksOf. */
  readonly networks: BlockList;
  readonly signal?: AbortSignal;
  readonly lookup?: Lookup;
  readonly limits?: { readonly connectMs: number; readonly answerMs: number };
}

/** Never rejects. */
export async function sendWebhook(call: WebhookCall, options: WebhookOptions): Promise<WebhookOutcome> {
  const { networks, signal, lookup } = options;
  const { connectMs, answerMs } = options.limits ?? { connectMs: WEBHOOK_CONNECT_MS, answerMs: WEBHOOK_ANSWER_MS };
  const begunAt = performance.now();
  const failed = (reason: string, answer?: Answer): WebhookOutcome => ({
    kind: 'failed',
    status: answer?.status ?? null,
    reason: reason.slice(0, WEBHOOK_REASON_CHARS_MAX),
    ms: msSince(begunAt),
    retryAfterMs: answer?.retryAfterMs,
  });
  // The networks of the configuration may be others by now.
  const target = parseTarget(call.url, networks);
  if ('fault' in target) return failed(`The address cannot be called: it ${target.fault}.`);
  const resolved = await within(connectMs, resolveTarget(target.url, networks, lookup));
  if (resolved === undefined) return failed('The DNS does not answer.');
  if ('fault' in resolved) return failed(resolved.fault);
  try {
    const left = (ms: number) => Math.max(1, ms - (performance.now() - begunAt));
    const answer = await post(target.url, resolved.addresses, call, {
      connectMs: left(connectMs),
      answerMs: left(answerMs),
      signal,
    });
    const { status } = answer;
    const ms = msSince(begunAt);
    if (status >= 200 && status < 300) return { kind: 'delivered', status, ms };
    if (status === GONE) return { kind: 'gone', status, ms, reason: 'The answer was 410: the endpoint is gone.' };
    const redirect = status >= 300 && status < 400 ? ', a redirect, which is not followed' : '';
    return failed(`The answer was ${status}${redirect}.`, answer);
  } catch (error) {
    return signal?.aborted === true ? { kind: 'interrupted' } : failed(reasonOf(error));
  }
}

/** How long to wait after so many failed calls in a row; undefined: for ever. */
export function webhookRetryMs(failures: number, random: () => number = Math.random): number | undefined {
  const ms = WEBHOOK_RETRIES_MS[failures - 1];
  return ms === undefined ? undefined : Math.round(ms * (1 + WEBHOOK_RETRY_JITTER * (2 * random() - 1)));
}

const GONE = 410;

interface Answer {
  readonly status: number;
  readonly retryAfterMs?: number | undefined;
}

/** Connects to one of the addresses, whatever the name in the URL leads to by now. */
function post(
  url: URL,
  addresses: readonly Address[],
  { secrets, id, body }: WebhookCall,
  { connectMs, answerMs, signal }: { connectMs: number; answerMs: number; signal: AbortSignal | undefined },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const isSecure = url.protocol === 'https:';
    let answer: Answer | undefined;
    const options: RequestOptions & Pick<TcpNetConnectOpts, 'autoSelectFamilyAttemptTimeout'> = {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': USER_AGENT,
        ...signWebhook(secrets, { id, at: Date.now(), body }),
      },
      agent: false, // a connection of its own, which ends with it
      lookup: pinnedTo(addresses),
      autoSelectFamilyAttemptTimeout: Math.ceil(connectMs / addresses.length), // by default 250 ms, less than it takes to cross the world
      maxHeaderSize: HEADER_BYTES_MAX,
      ...(signal === undefined ? {} : { signal }),
    };
    const request = (isSecure ? requestByHttps : requestByHttp)(url, options);
    const giveUp = (ms: number, reason: string) => setTimeout(() => request.destroy(new Timeout(reason)), ms);
    const connecting = giveUp(connectMs, `No connection within ${seconds(connectMs)}.`);
    const answering = giveUp(answerMs, `No answer within ${seconds(answerMs)}.`);
    request.once('socket', (socket) => {
      socket.once(isSecure ? 'secureConnect' : 'connect', () => clearTimeout(connecting));
    });
    let interim = 0;
    request.on('information', () => {
      if (++interim > WEBHOOK_INTERIM_ANSWERS_MAX)
        request.destroy(new Timeout('It only ever says that it will answer.'));
    });
    request.once('response', (response) => {
      answer = { status: response.statusCode ?? 0, retryAfterMs: retryAfterOf(response) };
      readAndDrop(response);
    });
    // Once there is an answer, nothing that happens to its body changes it.
    let fault: unknown = new Timeout('The connection was closed without an answer.');
    request.on('error', (error) => {
      fault = error;
    });
    request.once('close', () => {
      clearTimeout(connecting);
      clearTimeout(answering);
      if (answer === undefined) reject(fault);
      else resolve(answer);
    });
    request.end(body);
  });
}

const USER_AGENT = 'tardigrade-webhooks/1';

class Timeout extends Error {}

function pinnedTo(addresses: readonly Address[]): LookupFunction {
  return (_name, { all }, done) => {
    const [first] = addresses;
    if (all === true) done(null, [...addresses]);
    else done(null, first?.address ?? '', first?.family);
  };
}

/** So that the other side can finish its answer; what is longer is cut off. */
function readAndDrop(response: IncomingMessage): void {
  let bytes = 0;
  response.on('error', () => undefined);
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > WEBHOOK_ANSWER_BYTES_MAX) response.destroy();
  });
}

/** In seconds or as a date (RFC 9110). */
function retryAfterOf({ headers }: IncomingMessage): number | undefined {
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return ms > 0 ? Math.min(ms, WEBHOOK_RETRY_AFTER_MS_MAX) : undefined;
}

function reasonOf(error: unknown): string {
  if (error instanceof Timeout) return error.message;
  const { code = '', message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? `The call failed: ${message}${code === '' ? '' : ` (${code})`}.`;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'The connection was refused.',
  ECONNRESET: 'The connection was reset.',
  EHOSTUNREACH: 'The host cannot be reached.',
  ENETUNREACH: 'The network cannot be reached.',
  ETIMEDOUT: 'No connection within the time that the network allows.',
  EPROTO: 'The answer is not TLS.',
  CERT_HAS_EXPIRED: 'The certificate has expired.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'The certificate is self-signed.',
  SELF_SIGNED_CERT_IN_CHAIN: 'The certificate is self-signed.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'The certificate cannot be verified: an intermediate certificate is missing.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'The certificate cannot be verified: its issuer is not known.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The certificate is for another name.',
};

function msSince(begunAt: number): number {
  return Math.round(performance.now() - begunAt);
}

function seconds(ms: number): string {
  return `${Math.max(1, Math.round(ms / 1_000))} s`;
}
