/**
 * Tells the systems of an organisation what happened. A module declares its public events here and in its `events` face,
 * and announces each in the transaction that makes it true; then it is delivered to every endpoint that listens to it.
 *
 * It arrives at least once, and in any order. An event is in the outbox if, and only if, its transaction commits; the
 * relay turns it into one delivery for each endpoint exactly once; a delivery is made until it succeeds or is given up
 * (src/http/webhook-delivery.ts), by a mailer. Its message id stays the same, so that receivers can drop repetitions.
 *
 * Events have ids and no personal data: a receiver that needs more asks the API, which knows what it may see.
 */
import type { Db } from '../../db/schema.ts';
import { writeToOutbox } from '../../queue/transactional-outbox.ts';
import { isListenedTo } from './event-queries.ts';
import { createMessage, type WebhookMessage } from './message.ts';

/** Type to data. A module adds its own in its events.ts: `declare module '…/webhooks.ts' { interface PublicEvents { … } }`. */
// biome-ignore lint/suspicious/noEmptyInterface: modules add to it
export interface PublicEvents {}

export type EventType = keyof PublicEvents & string;

/** What a module's `events` face says about its events. */
export type EventTexts = {
  readonly [T in EventType]?: { readonly means: string; readonly example: PublicEvents[T] };
};

export interface Announcement<T extends EventType = EventType> {
  readonly orgId: number;
  readonly type: T;
  readonly data: PublicEvents[T];
}

declare module '../../queue/transactional-outbox.ts' {
  interface Topics {
    'webhook.event': WebhookMessage;
  }
}

/** Call it in the transaction that makes the event true. Without an endpoint that listens, it costs one query. */
export async function announceEvent<T extends EventType>(
  transaction: Db,
  { orgId, type, data }: Announcement<T>,
): Promise<void> {
  if (!(await isListenedTo(transaction, orgId, type))) return;
  await writeToOutbox(transaction, { orgId, topic: 'webhook.event', payload: createMessage(type, data) });
}
