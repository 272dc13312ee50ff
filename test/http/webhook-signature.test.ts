import { createHmac, randomBytes } from 'node:crypto';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { createWebhookSecret, isSignedWebhook, signWebhook } from '../../src/http/webhook-signature.ts';
import { WEBHOOK_TOLERANCE_MS } from '../../src/limits.ts';

const key = randomBytes(32);
const SECRET = `whsec_${key.toString('base64')}`;
const BODY = '{"events":[]}';
const NOW = Date.parse('2026-11-26T05:00:00Z');

function signed(change: { body?: string; at?: number; secret?: Buffer; id?: string } = {}) {
  const { body = BODY, at = NOW, secret = key, id = 'msg_1' } = change;
  const timestamp = String(Math.floor(at / 1_000));
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
const accepts = (headers: Record<string, string>, body = BODY) => isSignedWebhook(SECRET, headers, body, NOW);

test('the example of the standard is accepted', () => {
  // https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
  const headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  };
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  expect(isSignedWebhook(secret, headers, '{"test": 2432232314}', 1_614_265_330_000)).toBe(true);
});

test('what was signed with the secret is accepted, as text and as bytes', () => {
  expect(accepts(signed())).toBe(true);
  expect(isSignedWebhook(SECRET, signed(), Buffer.from(BODY), NOW)).toBe(true);
});

test('while the sender changes its secret, one of its signatures is enough', () => {
  const old = signed({ secret: randomBytes(32) })['webhook-signature'];
  const headers = signed();
  expect(accepts({ ...headers, 'webhook-signature': `${old} v2,other ${headers['webhook-signature']}` })).toBe(true);
});

test.each<[string, Record<string, string>]>([
  ['another secret', signed({ secret: randomBytes(32) })],
  ['another body', signed({ body: '{"events":[{}]}' })],
  ['another id', { ...signed(), 'webhook-id': 'msg_2' }],
  ['another time', { ...signed(), 'webhook-timestamp': String(NOW / 1_000 + 1) }],
  ['a time that is long ago', signed({ at: NOW - WEBHOOK_TOLERANCE_MS - 1_000 })],
  ['a time that is yet to come', signed({ at: NOW + WEBHOOK_TOLERANCE_MS + 1_000 })],
  ['a time that is not a number', { ...signed(), 'webhook-timestamp': 'now' }],
  ['another version', { ...signed(), 'webhook-signature': signed()['webhook-signature'].replace('v1', 'v0') }],
  ['an empty signature', { ...signed(), 'webhook-signature': 'v1,' }],
  ['no headers', {}],
])('%s is refused', (_, headers) => {
  expect(accepts(headers)).toBe(false);
});

describe('a message of ours', () => {
  const message = { id: 'msg_2', at: Date.now(), body: '{"type":"note.written","data":{"name":"Büro ✓"}}' };

  test('is accepted by the package of the standard, in any of its languages', () => {
    const secret = createWebhookSecret();
    const received = new Webhook(secret).verify(message.body, signWebhook([secret], message));
    expect(received).toEqual({ type: 'note.written', data: { name: 'Büro ✓' } });
  });

  test('is signed as the package signs it', () => {
    const secret = createWebhookSecret();
    const { 'webhook-signature': signature } = signWebhook([secret], message);
    expect(signature).toBe(new Webhook(secret).sign(message.id, new Date(message.at), message.body));
  });

  test('while the secret is changed, is accepted by those who have the old one and by those who have the new one', () => {
    const [current, previous] = [createWebhookSecret(), createWebhookSecret()];
    const headers = signWebhook([current, previous], message);
    for (const secret of [current, previous])
      expect(() => new Webhook(secret).verify(message.body, headers)).not.toThrow();
    expect(() => new Webhook(createWebhookSecret()).verify(message.body, headers)).toThrow(WebhookVerificationError);
  });

  test('is refused once anything of it was changed', () => {
    const secret = createWebhookSecret();
    const headers = signWebhook([secret], message);
    const receiver = new Webhook(secret);
    const later = String(Number(headers['webhook-timestamp']) + 1);
    for (const [body, changed] of [
      [`${message.body} `, headers],
      [message.body, { ...headers, 'webhook-id': 'msg_3' }],
      [message.body, { ...headers, 'webhook-timestamp': later }],
    ] as const)
      expect(() => receiver.verify(body, changed)).toThrow(WebhookVerificationError);
  });

  test('has secrets of 256 bits that nobody else has', () => {
    const secrets = new Set(Array.from({ length: 100 }, createWebhookSecret));
    expect(secrets.size).toBe(100);
    for (const secret of secrets) expect(secret).toMatch(/^whsec_[\w+/]{43}=$/);
  });
});
