import { Client } from 'pg';
import { SEED_LOGIN } from '../../scripts/seed.ts';
import { NO_ORGANISATION } from '../../src/db/tenant-isolation.ts';
import { mailedToken } from '../../src/modules/accounts/mailed-link.ts';
import { answerTo, openApi } from '../api.ts';
import type { Addresses } from '../layout/parts.ts';
import type { Account } from './plan.ts';

/** Users of the seed's organisations, from the largest to two that are small. */
const SEEDED = [
  { domain: 'tardigrade.test', locals: ['owner', 'admin', 'viewer'], isSmall: false },
  { domain: 'tunstate.test', locals: ['owner', 'admin'], isSmall: false },
  { domain: 'dewdrop.test', locals: ['admin', 'viewer'], isSmall: false },
  { domain: 'cryptobiosis.test', locals: ['admin'], isSmall: false },
  { domain: 'goeze.test', locals: ['admin'], isSmall: true },
  { domain: 'puddle.test', locals: ['owner'], isSmall: true },
] as const;

/** Signs in users of several seeded organisations, one after the other: a sign-in is a password hash. */
export async function signInSeeded(url: string): Promise<Account[]> {
  const accounts: Account[] = [];
  for (const { domain, locals, isSmall } of SEEDED)
    for (const local of locals) accounts.push({ ...(await signInOf(url, `${local}@${domain}`)), domain, isSmall });
  return accounts;
}

/** A user of the seed; they all have the same password. */
export function signInOf(url: string, email: string): Promise<Account> {
  return signIn(url, email, SEED_LOGIN.password);
}

/** Throws with the server's own words when it does not let the user in. */
export async function signIn(url: string, email: string, password: string): Promise<Account> {
  const welcome = await answerTo(openApi(url).POST('/api/v1/sessions', { body: { email, password } }));
  if (!('token' in welcome)) throw new Error(`${email} has a second factor, which the load does not have.`);
  const { token, user, organisation } = welcome;
  const { operator } = await answerTo(openApi(url, token).GET('/api/v1/me'));
  return { token, orgId: organisation.id, email, role: user.role as Account['role'], isOperator: operator, password };
}

/** Where accounts are made: the link that is mailed is made of its row. */
export type Registry = Pick<Addresses, 'api' | 'databaseUrl' | 'secretKey'>;

/** A new organisation, and its owner. A few a minute per address are let in. */
export async function register(registry: Registry, domain: string): Promise<Account> {
  const email = `owner@${domain}`;
  const { password } = SEED_LOGIN;
  const api = openApi(registry.api);
  await api.POST('/api/v1/registrations', { body: { email } });
  const token = await registrationToken(registry, email);
  const body = { token, organisation: 'A small customer', name: 'Load Owner', password };
  const { token: session, organisation } = await answerTo(api.POST('/api/v1/registrations/confirmations', { body }));
  return { token: session, orgId: organisation.id, email, role: 'owner', password, domain, isSmall: true };
}

async function registrationToken({ databaseUrl, secretKey }: Registry, email: string): Promise<string> {
  const client = new Client({ connectionString: databaseUrl, application_name: 'bench-registration' });
  await client.connect();
  try {
    const { rows } = await client.query<{ id: string }>('select id from registrations where email = $1', [email]);
    if (rows[0] === undefined) throw new Error(`Nobody has asked to register ${email}.`);
    return mailedToken(secretKey, 'registration', { orgId: NO_ORGANISATION, id: Number(rows[0].id) });
  } finally {
    await client.end();
  }
}
