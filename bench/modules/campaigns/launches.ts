import type { Registry } from '../../load/accounts.ts';
import type { Account, Mix } from '../../load/plan.ts';
import { registerCustomer } from '../employees/customer.ts';

/** Half of them are launches; each needs a draft before. */
export const LAUNCHES: Mix = { 'POST /api/v1/campaigns': 1, 'POST /api/v1/campaigns/{id}/launch': 1 };

/** Small, so that the mailer is done with one campaign before the next. */
const CUSTOMER_EMPLOYEES = 10;
const customers = new Map<string, Promise<Account>>();

/** The same one for each layout: only a few registrations a minute are let in. */
export function smallCustomer(registry: Registry): Promise<Account> {
  const customer = customers.get(registry.api) ?? registerCustomer(registry, CUSTOMER_EMPLOYEES);
  customers.set(registry.api, customer);
  return customer;
}
