/** The relay's side: one delivery of each event for each endpoint that listens to it. */
import type { Db } from '../../db/schema.ts';
import type { OutboxEvent } from '../../queue/transactional-outbox.ts';
import { insertDeliveries, listeningEndpoints, wakeEndpoints } from './event-queries.ts';
import { WEBHOOK_WAITING_MAX } from './limits.ts';
import type { WebhookMessage } from './message.ts';
import { turnOffEndpoint } from './turning-off.ts';

/** In the relay's transaction: each event exactly once, also after a crash. Organisations in the order in which they are locked. */
export async function deliverToEndpoints(
  events: readonly OutboxEvent<'webhook.event'>[],
  transaction: Db,
): Promise<void> {
  const byOrganisation = Map.groupBy(events, ({ orgId }) => orgId);
  for (const orgId of [...byOrganisation.keys()].toSorted((a, b) => a - b))
    await deliverOf(
      transaction,
      orgId,
      (byOrganisation.get(orgId) ?? []).map(({ payload }) => payload),
    );
}

async function deliverOf(transaction: Db, orgId: number, messages: readonly WebhookMessage[]): Promise<void> {
  const rows: (WebhookMessage & { endpointId: number })[] = [];
  for (const endpoint of await listeningEndpoints(transaction, orgId)) {
    const wanted = messages.filter(({ type }) => endpoint.eventTypes.includes(type));
    if (wanted.length === 0) continue;
    if (endpoint.waiting >= WEBHOOK_WAITING_MAX) await turnOffEndpoint(transaction, { orgId, ...endpoint }, 'backlog');
    else rows.push(...wanted.map((message) => ({ ...message, endpointId: endpoint.id })));
  }
  if (rows.length === 0) return;
  await insertDeliveries(transaction, orgId, rows);
  await wakeEndpoints(transaction, orgId, [...new Set(rows.map(({ endpointId }) => endpointId))]);
}
