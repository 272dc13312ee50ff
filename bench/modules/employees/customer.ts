import { randomUUID } from 'node:crypto';
import { call } from '../../call.ts';
import { type Registry, register } from '../../load/accounts.ts';
import type { Account } from '../../load/plan.ts';

/** Signs up a new organisation with so many employees, who may all be written to. */
export async function registerCustomer(registry: Registry, employees: number): Promise<Account> {
  const domain = `customer-${randomUUID()}.test`;
  const account = await register(registry, domain);
  const { api: url } = registry;
  const { token } = account;
  const { json } = await call<{ id: number }>(url, '/api/v1/imports', {
    method: 'POST',
    token,
    body: { fileName: 'everybody.csv' },
  });
  const people = Array.from({ length: employees }, (_, nth) => `Person ${nth},person-${nth}@${domain},Everybody`);
  await call(url, `/api/v1/imports/${json.id}/file`, {
    method: 'PUT',
    token,
    headers: { 'content-type': 'text/csv' },
    text: ['name,email,team', ...people, ''].join('\n'),
  });
  return account;
}
