/** The endpoints of an organisation, and what people do with them; each with its entry in the audit log. */
import type { BlockList } from 'node:net';
import type { DatabaseSession } from '../../db/read-write-split.ts';
import type { Db } from '../../db/schema.ts';
import { AppError } from '../../errors.ts';
import type { SecretBox } from '../../http/secret-box.ts';
import { parseTarget } from '../../http/ssrf-guard.ts';
import { createWebhookSecret } from '../../http/webhook-signature.ts';
import { type SignedInActor, writeAudit } from '../audit/audit.ts';
import {
  countEndpoints,
  countWaiting,
  type Delivery,
  deleteEndpoint,
  deliveryById,
  type Endpoint,
  type EndpointContent,
  endHold,
  endpointById,
  freshenEndpoint,
  insertEndpoint,
  lockEndpoint,
  lockWebhooks,
  replayDead,
  replayDelivery,
  rotateEndpointSecret,
  updateEndpoint,
} from './endpoint-queries.ts';
import { disableEndpoint, insertDeliveries, wakeEndpoints } from './event-queries.ts';
import { WEBHOOK_REPLAYED_MAX, WEBHOOK_WAITING_MAX, WEBHOOKS_MAX } from './limits.ts';
import { createMessage } from './message.ts';
import { sealSecret } from './secrets.ts';

export interface WebhookParts {
  readonly db: DatabaseSession;
  readonly box: SecretBox;
  /** May be called although they are not public. */
  readonly networks: BlockList;
  /** Of all modules. */
  readonly types: readonly string[];
}

export type WithSecret<T> = T & { readonly secret: string };

/** The answer is the only one that ever holds the secret. Throws `invalid`, or `conflict` when there are too many. */
export async function createEndpoint(
  { db, box, networks, types }: WebhookParts,
  actor: SignedInActor,
  given: EndpointContent,
): Promise<WithSecret<Endpoint>> {
  const { orgId } = actor;
  const content = {
    url: readUrl(given.url, networks),
    description: given.description,
    eventTypes: readTypes(given.eventTypes, types),
  };
  const secret = createWebhookSecret();
  return db.write(async (transaction) => {
    await lockWebhooks(transaction, orgId);
    if ((await countEndpoints(transaction, orgId)) >= WEBHOOKS_MAX)
      throw new AppError('conflict', `An organisation has at most ${WEBHOOKS_MAX} webhooks: delete one first.`);
    const row = await insertEndpoint(transaction, orgId, content, sealSecret(box, orgId, secret));
    await writeAudit(transaction, actor, {
      action: 'webhook.created',
      subject: row.url,
      details: { eventTypes: row.eventTypes.join(' ') },
    });
    return { ...row, secret };
  });
}

export type EndpointChange = Partial<EndpointContent> & { readonly enabled?: boolean };

/** Omitted fields stay as they are. Another URL, and being enabled, let it begin anew. Throws `invalid` or `not_found`. */
export async function changeEndpoint(
  { db, networks, types }: WebhookParts,
  actor: SignedInActor,
  id: number,
  { enabled, ...given }: EndpointChange,
): Promise<Endpoint> {
  const { orgId } = actor;
  const content = {
    ...given,
    ...(given.url === undefined ? {} : { url: readUrl(given.url, networks) }),
    ...(given.eventTypes === undefined ? {} : { eventTypes: readTypes(given.eventTypes, types) }),
  };
  return db.write(async (transaction) => {
    const before = found(await lockEndpoint(transaction, orgId, id));
    await updateEndpoint(transaction, orgId, id, content);
    const isEnabled = before.disabledAt === null;
    if (enabled === false && isEnabled) await disableEndpoint(transaction, orgId, id, 'person');
    else if ((enabled === true && !isEnabled) || (isEnabled && content.url !== undefined && content.url !== before.url))
      await freshenEndpoint(transaction, orgId, id);
    const after = found(await endpointById(transaction, orgId, id));
    await writeAudit(transaction, actor, {
      action: 'webhook.changed',
      subject: after.url,
      details: {
        ...(after.url === before.url ? {} : { from: before.url }),
        ...(content.eventTypes === undefined ? {} : { eventTypes: after.eventTypes.join(' ') }),
        ...(enabled === undefined ? {} : { enabled }),
      },
    });
    return after;
  });
}

/** Deliveries that wait for it are never made, and none is shown any more. Throws `not_found`. */
export async function removeEndpoint(db: DatabaseSession, actor: SignedInActor, id: number): Promise<void> {
  await db.write(async (transaction) => {
    const removed = found(await deleteEndpoint(transaction, actor.orgId, id));
    await writeAudit(transaction, actor, { action: 'webhook.deleted', subject: removed.url });
  });
}

/** The old secret signs as well, for WEBHOOK_SECRET_OVERLAP_MS. Throws `not_found`. */
export async function rotateSecret(
  { db, box }: Pick<WebhookParts, 'db' | 'box'>,
  actor: SignedInActor,
  id: number,
): Promise<WithSecret<Endpoint>> {
  const { orgId } = actor;
  const secret = createWebhookSecret();
  return db.write(async (transaction) => {
    await rotateEndpointSecret(transaction, orgId, id, sealSecret(box, orgId, secret));
    const row = found(await endpointById(transaction, orgId, id));
    await writeAudit(transaction, actor, { action: 'webhook.secret-rotated', subject: row.url });
    return { ...row, secret };
  });
}

/** Sends an event that no endpoint needs to listen to. Throws `not_found`, or `conflict` when it is disabled or full. */
export async function testEndpoint(db: DatabaseSession, actor: SignedInActor, id: number): Promise<Delivery> {
  const { orgId } = actor;
  return db.write(async (transaction) => {
    const { url } = await openEndpoint(transaction, orgId, id);
    const message = createMessage(TEST_EVENT, { webhookId: id });
    const [added = 0] = await insertDeliveries(transaction, orgId, [{ ...message, endpointId: id }]);
    await tryNow(transaction, orgId, id);
    await writeAudit(transaction, actor, { action: 'webhook.tested', subject: url });
    return found(await deliveryById(transaction, orgId, added));
  });
}

/** From the beginning of the schedule, with the same message id. Throws `not_found`, or `conflict` as `testEndpoint` does. */
export async function replayOne(db: DatabaseSession, actor: SignedInActor, id: number): Promise<Delivery> {
  const { orgId } = actor;
  return db.write(async (transaction) => {
    const { endpointId, messageId } = found(await deliveryById(transaction, orgId, id));
    const { url } = await openEndpoint(transaction, orgId, endpointId);
    if (await replayDelivery(transaction, orgId, id))
      await writeAudit(transaction, actor, { action: 'webhook.replayed', subject: url, details: { messageId } });
    await tryNow(transaction, orgId, endpointId);
    return found(await deliveryById(transaction, orgId, id));
  });
}

/** All deliveries that were given up, the oldest first, up to WEBHOOK_REPLAYED_MAX. Throws as `replayOne` does. */
export async function replayAll(db: DatabaseSession, actor: SignedInActor, id: number): Promise<{ replayed: number }> {
  const { orgId } = actor;
  return db.write(async (transaction) => {
    const { url } = await openEndpoint(transaction, orgId, id);
    const replayed = await replayDead(transaction, orgId, id, WEBHOOK_REPLAYED_MAX);
    await tryNow(transaction, orgId, id);
    await writeAudit(transaction, actor, { action: 'webhook.replayed', subject: url, details: { replayed } });
    return { replayed };
  });
}

export const TEST_EVENT = 'webhook.test';

/** It stays open until the transaction ends: a delivery to one that was disabled meanwhile would wait for ever. */
async function openEndpoint(transaction: Db, orgId: number, id: number): Promise<Endpoint> {
  const row = found(await lockEndpoint(transaction, orgId, id));
  if (row.disabledAt !== null) throw new AppError('conflict', 'This webhook is disabled: enable it first.');
  if ((await countWaiting(transaction, orgId, id, WEBHOOK_WAITING_MAX)) >= WEBHOOK_WAITING_MAX)
    throw new AppError('conflict', `${WEBHOOK_WAITING_MAX} deliveries are waiting already, which is the most.`);
  return row;
}

async function tryNow(transaction: Db, orgId: number, id: number): Promise<void> {
  await endHold(transaction, orgId, id);
  await wakeEndpoints(transaction, orgId, [id]);
}

function readUrl(text: string, networks: BlockList): string {
  const target = parseTarget(text.trim(), networks);
  if ('fault' in target) throw new AppError('invalid', `This address cannot be called: it ${target.fault}.`);
  return target.url.href;
}

function readTypes(given: readonly string[], known: readonly string[]): string[] {
  const unknown = given.find((type) => !known.includes(type));
  if (unknown !== undefined)
    throw new AppError('invalid', `${unknown} is not a type of event: see GET /api/v1/webhook-event-types.`);
  return [...new Set(given)].toSorted();
}

/** One of another organisation does not exist either. */
export function found<T>(row: T | undefined): T {
  if (row === undefined) throw new AppError('not_found', 'This webhook does not exist.');
  return row;
}
