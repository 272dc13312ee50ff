import { hash, randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Pool } from 'pg';
import { createPasswordHasher } from '../../../../src/http/password-hashing.ts';
import { SESSION_MS } from '../../../../src/limits.ts';

export interface SignedIn {
  readonly orgId: number;
  readonly organisation: string;
  readonly user: { readonly id: number; readonly name: string; readonly email: string; readonly role: string };
}

interface UserRow {
  readonly org_id: number;
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly role: string;
  readonly password_hash: string;
  readonly organisation: string;
}

const USERS = `
  select u.org_id, u.id, u.name, u.email, u.role, u.password_hash, o.name as organisation
  from users u join organisations o on o.id = u.org_id`;

export function addSignIn(app: FastifyInstance, pool: Pool): void {
  const hasher = createPasswordHasher();
  app.post('/api/v1/sessions', async (request, reply) => {
    const { email, password } = request.body as { email: string; password: string };
    const { rows } = await pool.query<UserRow>(`${USERS} where u.email = $1`, [email.toLowerCase()]);
    const [row] = rows;
    if (!(await hasher.verify(password, row?.password_hash)) || row === undefined)
      return reply.code(401).send({ detail: 'The address or the password is wrong.' });
    const token = randomBytes(32).toString('base64url');
    await pool.query('insert into sessions (token_hash, org_id, user_id, expires_at) values ($1, $2, $3, $4)', [
      hash('sha256', token, 'buffer'),
      row.org_id,
      row.id,
      new Date(Date.now() + SESSION_MS),
    ]);
    const { user, organisation } = toSignedIn(row);
    return reply.code(201).send({ token, user, organisation: { id: row.org_id, name: organisation } });
  });
}

/** Undefined when nobody is signed in. Looked up for every request. */
export async function signedIn(pool: Pool, { headers }: FastifyRequest): Promise<SignedIn | undefined> {
  const token = /^Bearer ([\w-]{43})$/.exec(headers.authorization ?? '')?.[1];
  if (token === undefined) return undefined;
  const { rows } = await pool.query<UserRow>(
    `${USERS} join sessions s on s.org_id = u.org_id and s.user_id = u.id where s.token_hash = $1 and s.expires_at > now()`,
    [hash('sha256', token, 'buffer')],
  );
  return rows[0] && toSignedIn(rows[0]);
}

function toSignedIn({ org_id, id, name, email, role, organisation }: UserRow): SignedIn {
  return { orgId: org_id, organisation, user: { id, name, email, role } };
}
