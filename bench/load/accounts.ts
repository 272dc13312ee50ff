import { SEED_LOGIN } from '../../scripts/seed.ts';
import { answerTo, openApi } from '../api.ts';
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

/** Of `counters`: of an organisation that no other scenario signs in to, so what it is shown does not depend on the order. */
export const COUNTED = 'admin@eightlegs.test';

/** Those of the seed who run the platform: one in each organisation that a scenario asks alone. */
export const OPERATORS: readonly string[] = [SEED_LOGIN.email, 'owner@tunstate.test', COUNTED];

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

/** A new organisation, and its owner. A few a minute per address are let in. */
export async function register(url: string, domain: string): Promise<Account> {
  const email = `owner@${domain}`;
  const { password } = SEED_LOGIN;
  const body = { organisation: 'A small customer', name: 'Load Owner', email, password };
  await openApi(url).POST('/api/v1/registrations', { body });
  return { ...(await signIn(url, email, password)), domain, isSmall: true };
}
