import { sql } from 'kysely';
import { createWebhookSecret } from '../../../src/http/webhook-signature.ts';
import { createWebhookBox, sealSecret } from '../../../src/modules/webhooks/secrets.ts';
import type { TestDatabase } from '../../database.ts';
import { SECRET_KEY } from '../../worker.ts';

export interface TestEndpoint {
  readonly id: number;
  readonly secret: string;
}

/** Straight into the database: the API refuses an address on this machine. */
export async function addEndpoint(
  { db }: Pick<TestDatabase, 'db'>,
  orgId: number,
  url: string,
  eventTypes: readonly string[] = ['note.written'],
): Promise<TestEndpoint> {
  const secret = createWebhookSecret();
  const { id } = await db
    .insertInto('webhook_endpoints')
    .values({
      org_id: orgId,
      url,
      event_types: [...eventTypes],
      sealed_secret: sealSecret(createWebhookBox(SECRET_KEY), orgId, secret),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { id, secret };
}

/** As if all the time had passed that anything waits for. */
export async function passTime({ db }: Pick<TestDatabase, 'db'>, orgId: number): Promise<void> {
  await sql`update webhook_deliveries set due_at = now() where org_id = ${orgId} and due_at is not null`.execute(db);
  await sql`
    update webhook_endpoints set due_at = now(), held_until = null, leased_until = null
    where org_id = ${orgId} and due_at is not null`.execute(db);
}
