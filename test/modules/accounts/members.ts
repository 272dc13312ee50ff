import type { Role } from '../../../src/db/schema.ts';
import { type LinkKind, mailedToken } from '../../../src/modules/accounts/mailed-link.ts';
import type { ApiClient } from '../../api-client.ts';
import type { RunningApi } from '../../running-api.ts';

export interface Person extends ApiClient {
  readonly userId: number;
}

/** A signed-in user; of a new organisation, unless one is given. */
export async function addPerson(api: RunningApi, role: Role, orgId?: number): Promise<Person> {
  const client = orgId === undefined ? await api.newOwner() : await api.signedIn(orgId, role);
  const { body } = await client.get<{ user: { id: number } }>('/api/v1/me');
  return { ...client, userId: body.user.id };
}

/** The token in the link that is mailed for a row. */
export function tokenOf(api: RunningApi, kind: LinkKind, target: { orgId: number; id: number }): string {
  return mailedToken(api.worker.config.secretKey, kind, target);
}

/** Actions in the audit log of the organisation, newest first, also those that others have just caused. */
export async function actionsOf(owner: ApiClient): Promise<string[]> {
  await moveReadPosition(owner);
  const { body } = await owner.get<{ items: { action: string }[] }>('/api/v1/audit-log');
  return body.items.map(({ action }) => action).filter((action) => action !== 'note.written'); // which is our own
}

/** A write of the owner's: the next read waits for it, and so sees what others wrote before. */
export async function moveReadPosition(owner: ApiClient): Promise<void> {
  await owner.send('POST', '/api/v1/notes', { title: 'moves the position that the next read waits for' });
}
