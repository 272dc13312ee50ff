/**
 * What it is: whether a webhook really comes from where it says, and now (standardwebhooks.com).
 * What fails without it: anybody who finds the address writes our data; whoever has seen one call can send it again.
 * How it works: the sender signs `id.timestamp.body` with a shared secret. The bytes of the body are verified, not what
 *   was parsed from them. The timestamp is within WEBHOOK_TOLERANCE_MS of our clock. Within that time a call can be repeated,
 *   so what it does must be the same the second time. Several signatures mean that the sender is changing its secret.
 * What it costs: the clock must be right. Its bound: SIGNATURES_MAX. Its proof: test/http/webhook-signature.test.ts.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { WEBHOOK_TOLERANCE_MS } from '../limits.ts';

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
  const expected = createHmac('sha256', Buffer.from(secret.replace(/^whsec_/, ''), 'base64'))
    .update(`${id}.${timestamp}.`)
    .update(body)
    .digest();
  return signatures.split(' ', SIGNATURES_MAX).some((text) => {
    const given = Buffer.from(/^v1,([\w+/]{43}=)$/.exec(text)?.[1] ?? '', 'base64');
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

const SIGNATURES_MAX = 5;
