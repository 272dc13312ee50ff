import { randomBytes } from 'node:crypto';
import { WEBHOOK_BODY_BYTES_MAX } from './limits.ts';

export interface WebhookMessage {
  readonly messageId: string;
  readonly type: string;
  /** The bytes that are sent, and signed. */
  readonly body: string;
}

/** In the form that the Standard Webhooks recommend. Throws for data that nobody should send like this. */
export function createMessage(type: string, data: object): WebhookMessage {
  const body = JSON.stringify({ type, timestamp: new Date().toISOString(), data });
  if (Buffer.byteLength(body) > WEBHOOK_BODY_BYTES_MAX)
    throw new RangeError(`The data of ${type} is too large for a webhook: announce ids.`);
  return { messageId: `msg_${randomBytes(MESSAGE_ID_BYTES).toString('hex')}`, type, body };
}

/** Random, so that an id is not given out again after a backup was restored: receivers would drop what has it. */
const MESSAGE_ID_BYTES = 16;
