/**
 * What it is: a webhook says who sent it and when, so that its receiver can tell (standardwebhooks.com).
 * What fails without it: anybody who finds the address writes our data, and a call that was overheard can be sent again.
 * How it works: the sender signs `id.timestamp.body` with a shared secret. The bytes of the body are verified, not what
 *   was parsed from them. The timestamp is within WEBHOOK_TOLERANCE_MS of our clock. Within that time a call can be repeated,
 *   so what it does must be the same the second time. Several signatures mean that the sender is changing its secret.
 * What it costs: the clock must be right. Its bound: SIGNATURES_MAX. Its proof: test/http/webhook-signature.test.ts, which
 *   has the package `standardwebhooks` verify what is signed here. The package itself is not used: it brings two more, and
 *   computes SHA-256 in JavaScript.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { WEBHOOK_TOLERANCE_MS } from '../limits.ts';

export interface SignedMessage {
  /** The same however often the message is sent, so that its receiver can drop repetitions. Without a dot. */
  readonly id: string;
  /** In milliseconds, of this attempt. */
  readonly at: number;
  readonly body: string;
}

/** `whsec_` and 256 random bits in base64. */
export function createWebhookSecret(): string {
  return `${PREFIX}${randomBytes(SECRET_BYTES).toString('base64')}`;
}

/** The headers that sign a message, with each of the secrets. */
export function signWebhook(secrets: readonly string[], { id, at, body }: SignedMessage): Record<string, string> {
  const timestamp = String(Math.floor(at / 1_000));
  const signatures = secrets.map((secret) => `v1,${signatureOf(secret, id, timestamp, body).toString('base64')}`);
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}

/** `secret`: `whsec_` and base64. */
export function isSignedWebhook(
  secret: string,
  headers: IncomingHttpHeaders,
  body: string | Buffer,
  now = Date.now(),
): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string') return false;
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now - Number(timestamp) * 1_000) > WEBHOOK_TOLERANCE_MS) return false;
  const expected = signatureOf(secret, id, timestamp, body);
  return signatures.split(' ', SIGNATURES_MAX).some((text) => {
    const given = Buffer.from(/^v1,([\w+/]{43}=)$/.exec(text)?.[1] ?? '', 'base64');
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

const PREFIX = 'whsec_';
const SECRET_BYTES = 32; // the Standard Webhooks ask for 24 to 64
const SIGNATURES_MAX = 5;

function signatureOf(secret: string, id: string, timestamp: string, body: string | Buffer): Buffer {
  const key = Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret, 'base64');
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
}
