/**
 * An endpoint is disabled although nobody asked for it: its owners hear of it by mail, or they would notice when they miss
 * what it should have brought. The entry in the audit log, the event for the mail and who has yet to get it are written
 * in the caller's transaction.
 */
import type { Db } from '../../db/schema.ts';
import { writeToOutbox } from '../../queue/transactional-outbox.ts';
import { writeAudit } from '../audit/audit.ts';
import { disableEndpoint } from './event-queries.ts';

export type Reason = 'gone' | 'failing' | 'backlog';

declare module '../../queue/transactional-outbox.ts' {
  interface Topics {
    'webhook.disabled': { readonly endpointId: number };
  }
}

export async function turnOffEndpoint(
  transaction: Db,
  { orgId, id, url }: { readonly orgId: number; readonly id: number; readonly url: string },
  because: Reason,
): Promise<void> {
  await disableEndpoint(transaction, orgId, id, because);
  const entry = { action: 'webhook.disabled', subject: url, details: { because } } as const;
  await writeAudit(transaction, { orgId, name: 'mailer' }, entry);
  await writeToOutbox(transaction, { orgId, topic: 'webhook.disabled', payload: { endpointId: id } });
}
