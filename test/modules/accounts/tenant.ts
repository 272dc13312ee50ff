import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Tenant } from '../../scenarios/tenant.ts';

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
      password_hash: '-',
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
  requests: { 'PATCH /api/v1/users/{id}': { body: { role: 'admin' } } },
  shows: ['/api/v1/sessions'],
};
