import type { DatabaseSession } from '../../db/read-write-split.ts';
import { AppError } from '../../errors.ts';
import type { ApiKeys } from '../../http/api-keys.ts';
import { type SignedInActor, writeAudit } from '../audit/audit.ts';
import { countApiKeys, deleteApiKey, insertApiKey } from './api-key-queries.ts';
import { API_KEYS_MAX } from './limits.ts';
import { lockedAdmin } from './members.ts';

/** The answer is the only one that ever holds the key itself. Throws `conflict` when there are too many. */
export async function issueApiKey(
  { db, apiKeys }: { db: DatabaseSession; apiKeys: ApiKeys },
  actor: SignedInActor,
  given: { name: string; scope: 'read' | 'write'; expiresInDays?: number | undefined },
) {
  const { orgId, userId } = actor;
  const { key, prefix, hash } = apiKeys.create();
  const expiresAt = given.expiresInDays === undefined ? null : new Date(Date.now() + given.expiresInDays * DAY_MS);
  return db.write(async (transaction) => {
    await lockedAdmin(transaction, actor);
    if ((await countApiKeys(transaction, orgId)) >= API_KEYS_MAX)
      throw new AppError('conflict', `An organisation has at most ${API_KEYS_MAX} keys: revoke one first.`);
    const { name, scope } = given;
    const row = await insertApiKey(transaction, orgId, { userId, name: name.trim(), prefix, hash, scope, expiresAt });
    await writeAudit(transaction, actor, { action: 'api-key.created', subject: nameOf(row), details: { scope } });
    return { ...row, key };
  });
}

/** Works no more from the next request on; on other processes within SESSION_CACHE_MS. Throws `not_found`. */
export async function revokeApiKey(
  { db, apiKeys }: { db: DatabaseSession; apiKeys: ApiKeys },
  actor: SignedInActor,
  id: number,
): Promise<void> {
  const revoked = await db.write(async (transaction) => {
    const row = await deleteApiKey(transaction, actor.orgId, id);
    if (row === undefined) throw new AppError('not_found', 'This key does not exist.');
    await writeAudit(transaction, actor, { action: 'api-key.revoked', subject: nameOf(row) });
    return row;
  });
  apiKeys.forget(actor.orgId, revoked.prefix);
}

const DAY_MS = 24 * 60 * 60 * 1_000;

const nameOf = ({ name, prefix }: { name: string; prefix: string }) => `${name} (${prefix}…)`;
