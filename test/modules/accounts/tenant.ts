import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { generateSync } from 'otplib';
import { createPasswordHasher, NO_PASSWORD } from '../../../src/http/password-hashing.ts';
import type { Organisation, Request, Tenant } from '../../scenarios/tenant.ts';

const PASSWORD = 'the password of the owner';

export const tenant: Tenant = {
  async arrange({ orgId, client, database: { db }, mark }) {
    const { body: me } = await client.get<{ user: { id: number } }>('/api/v1/me');
    const owner = { org_id: orgId, user_id: me.user.id };
    await sql`update users set name = name || ' ' || ${mark} where org_id = ${orgId}`.execute(db);
    const user = {
      org_id: orgId,
      email: `user@${mark}.test`,
      name: `User ${mark}`,
      role: 'viewer',
      password_hash: NO_PASSWORD,
    };
    const invited = { org_id: orgId, email: `invited@${mark}.test`, role: 'viewer', invited_by: mark } as const;
    const later = new Date(Date.now() + 3_600_000);
    const idOf = (row: { id: number }) => row.id;
    return {
      users: await db
        .insertInto('users')
        .values({ ...user, role: 'viewer' })
        .returning('id')
        .executeTakeFirstOrThrow()
        .then(idOf),
      invitations: await db
        .insertInto('invitations')
        .values({ ...invited, expires_at: later })
        .returning('id')
        .executeTakeFirstOrThrow()
        .then(idOf),
      sessions: await db
        .insertInto('sessions')
        .values({ ...owner, token_hash: randomBytes(32), device: mark, expires_at: later })
        .returning('id')
        .executeTakeFirstOrThrow()
        .then(idOf),
      'api-keys': await db
        .insertInto('api_keys')
        .values({ ...owner, name: `Key ${mark}`, prefix: 'tardigrade_0', key_hash: randomBytes(32), scope: 'read' })
        .returning('id')
        .executeTakeFirstOrThrow()
        .then(idOf),
    };
  },
  requests: { 'PATCH /api/v1/users/{id}': { body: { role: 'admin' }, headers: { 'if-match': '"viewer"' } } },
  states: {
    'PUT /api/v1/password': async (party) => {
      await givePassword(party);
      return { body: { current: PASSWORD, password: 'four rather louder words' } };
    },
    'DELETE /api/v1/sessions/others': async (party) => addOwnSession(party),
    'DELETE /api/v1/sessions/{id}': async (party) => {
      const owner = { user_id: await userOf(party) };
      await party.database.db.updateTable('sessions').set(owner).where('device', '=', party.mark).execute();
      return {};
    },
    'POST /api/v1/invitations': async ({ mark }) => ({ body: { email: `new@${mark}.test`, role: 'viewer' } }),
    'POST /api/v1/second-factor': async (party) => {
      await givePassword(party);
      return { body: { password: PASSWORD } };
    },
    'POST /api/v1/second-factor/confirmation': async (party) => ({ body: { code: await newCode(party) } }),
    'POST /api/v1/second-factor/removal': async (party) => {
      const confirmation = { code: await newCode(party) };
      const { body } = await party.client.send<{ recoveryCodes: string[] }>(
        'POST',
        '/api/v1/second-factor/confirmation',
        confirmation,
      );
      return { body: { password: PASSWORD, code: body.recoveryCodes[0] } };
    },
  },
  unversioned: {
    'PUT /api/v1/password': 'the person who changes it knows the current one',
  },
  unaudited: {
    'POST /api/v1/second-factor':
      'it shows a secret that counts for nothing before the confirmation, which is an entry',
  },
  shows: ['/api/v1/sessions'],
};

async function givePassword({ orgId, database: { db } }: Organisation): Promise<void> {
  const hash = await createPasswordHasher().hash(PASSWORD);
  await sql`update users set password_hash = ${hash} where org_id = ${orgId}`.execute(db);
}

/** Of a second factor that the client begins to set up. */
async function newCode(party: Organisation): Promise<string> {
  await givePassword(party);
  const { body } = await party.client.send<{ secret: string }>('POST', '/api/v1/second-factor', { password: PASSWORD });
  return generateSync({ secret: body.secret });
}

async function addOwnSession(party: Organisation): Promise<Request> {
  const { orgId, database } = party;
  await database.db
    .insertInto('sessions')
    .values({
      ...{ org_id: orgId, user_id: await userOf(party), device: 'another', token_hash: randomBytes(32) },
      expires_at: new Date(Date.now() + 3_600_000),
    })
    .execute();
  return {};
}

async function userOf({ client }: Organisation): Promise<number> {
  return (await client.get<{ user: { id: number } }>('/api/v1/me')).body.user.id;
}
