import { randomBytes } from 'node:crypto';
import type { Db } from '../src/db/schema.ts';
import { NO_ORGANISATION } from '../src/db/tenant-isolation.ts';
import { mailedToken } from '../src/modules/accounts/mailed-link.ts';
import { type Answer, type ApiClient, call, createClient } from './api-client.ts';
import { SECRET_KEY } from './worker.ts';

/** What registering needs of an api and its database. */
export interface Registry {
  readonly url: string;
  readonly database: { readonly db: Db };
  readonly secretKey?: string;
}

export interface Welcome {
  readonly token: string;
  readonly user: { id: number; name: string; email: string; role: string };
  readonly organisation: { id: number; name: string };
}

export const OWNER = { organisation: 'Acme', name: 'Olga Owner', password: 'a long enough password' };

export function randomEmail(): string {
  return `owner-${randomBytes(6).toString('hex')}@example.test`;
}

/** Registers a new organisation; the client is its owner. */
export async function registerClient(api: Registry): Promise<ApiClient> {
  const { status, body } = await registerOrganisation(api);
  if (status !== 201) throw new Error(`Registration failed: ${status} ${JSON.stringify(body)}`);
  return createClient(api.url, body.token, body.organisation.id);
}

/** Asks for the link, and uses it: without the mail, because the link is made of its row. */
export async function registerOrganisation<T = Welcome>(
  api: Registry,
  { email = randomEmail(), ...given }: Partial<typeof OWNER & { email: string }> = {},
  headers: Record<string, string> = {},
): Promise<Answer<T>> {
  const asked = await call<{ email: string }>(api.url, 'POST', '/api/v1/registrations', { headers, body: { email } });
  if (asked.status !== 202) throw new Error(`No registration: ${asked.status} ${JSON.stringify(asked.body)}`);
  const body = { token: await registrationToken(api, asked.body.email), ...OWNER, ...given };
  return call<T>(api.url, 'POST', '/api/v1/registrations/confirmations', { headers, body });
}

/** The token of the link that is mailed to the address. */
export async function registrationToken(
  { database, secretKey = SECRET_KEY }: Registry,
  email: string,
): Promise<string> {
  const { id } = await database.db
    .selectFrom('registrations')
    .where('email', '=', email)
    .select('id')
    .executeTakeFirstOrThrow();
  return mailedToken(secretKey, 'registration', { orgId: NO_ORGANISATION, id });
}
