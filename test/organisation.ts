import { randomBytes } from 'node:crypto';
import type { Db, Role } from '../src/db/schema.ts';
import { NO_PASSWORD } from '../src/http/password-hashing.ts';
import type { SignedInActor } from '../src/modules/audit/audit.ts';

export async function addOrganisation(db: Db, name = 'Acme'): Promise<number> {
  return (await db.insertInto('organisations').values({ name }).returning('id').executeTakeFirstOrThrow()).id;
}

/** A member with a session. */
export async function addSignedIn(db: Db, orgId: number, role: Role = 'admin', name = 'Mara'): Promise<SignedInActor> {
  const email = `${randomBytes(6).toString('hex')}@members.test`;
  const user = await db
    .insertInto('users')
    .values({ org_id: orgId, email, name, role, password_hash: NO_PASSWORD })
    .returning('id')
    .executeTakeFirstOrThrow();
  const session = await db
    .insertInto('sessions')
    .values({
      ...{ org_id: orgId, user_id: user.id, token_hash: randomBytes(32), device: '', network: '' },
      expires_at: new Date(Date.now() + 3_600_000),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { orgId, userId: user.id, sessionId: session.id };
}
