import { randomUUID } from 'node:crypto';
import { SEED_LOGIN } from '../../scripts/seed.ts';
import type { Account } from './plan.ts';

/** Of the seed's ten organisations: one big, one middling, two small enough to write to everybody. */
const SEEDED = [
  { domain: 'tardigrade.test', locals: ['owner', 'admin', 'viewer'], mayLaunch: false },
  { domain: 'tunstate.test', locals: ['owner', 'admin'], mayLaunch: false },
  { domain: 'dewdrop.test', locals: ['admin', 'viewer'], mayLaunch: false },
  { domain: 'cryptobiosis.test', locals: ['admin'], mayLaunch: false },
  { domain: 'goeze.test', locals: ['admin'], mayLaunch: true },
  { domain: 'puddle.test', locals: ['owner'], mayLaunch: true },
] as const;

/** Signs in users of several seeded organisations, one after the other: a sign-in is a password hash. */
export async function signInSeeded(url: string): Promise<Account[]> {
  const accounts: Account[] = [];
  for (const { domain, locals, mayLaunch } of SEEDED)
    for (const local of locals) {
      const account = await signIn(url, `${local}@${domain}`, SEED_LOGIN.password);
      accounts.push({ ...account, domain, mayLaunch });
    }
  return accounts;
}

/** Signs up a new organisation, whose `employees` may all be written to. */
export async function registerCustomer(url: string, employees: number): Promise<Account> {
  const domain = `customer-${randomUUID()}.test`;
  const email = `owner@${domain}`;
  const organisation = { organisation: 'A small customer', name: 'Load Owner', email, password: SEED_LOGIN.password };
  await post(url, '/api/registrations', organisation);
  const account = await signIn(url, email, SEED_LOGIN.password);
  const authorization = `Bearer ${account.token}`;
  const announced = await post(url, '/api/imports', { fileName: 'everybody.csv' }, { authorization });
  const people = Array.from({ length: employees }, (_, nth) => `Person ${nth},person-${nth}@${domain},Everybody`);
  await expectOk(
    await fetch(new URL(`/api/imports/${announced.id}/file`, url), {
      method: 'PUT',
      headers: { authorization, 'content-type': 'text/csv' },
      body: ['name,email,team', ...people, ''].join('\n'),
    }),
  );
  return { ...account, domain, mayLaunch: true };
}

async function post(url: string, path: string, body: object, headers: Record<string, string> = {}) {
  const answer = await fetch(new URL(path, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  await expectOk(answer);
  return (await answer.json()) as { readonly id: number };
}

async function expectOk(answer: Response): Promise<void> {
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status} ${await answer.text()}`);
}

/** Throws with the server's own words when it does not let the user in. */
export async function signIn(url: string, email: string, password: string): Promise<Account> {
  const answer = await fetch(new URL('/api/sessions', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  if (answer.status !== 201)
    throw new Error(`${email} could not sign in at ${url}: ${answer.status} ${await answer.text()}`);
  const { token, user, organisation } = (await answer.json()) as {
    token: string;
    user: { role: Account['role'] };
    organisation: { id: number };
  };
  return { token, orgId: organisation.id, email, role: user.role, password };
}
