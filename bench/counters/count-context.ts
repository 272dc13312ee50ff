import type { Addresses } from '../layout/parts.ts';
import type { Account } from '../load/plan.ts';

/** Whom a module asks when it counts: an organisation that no other scenario signs in to. */
export interface CountContext {
  readonly addresses: Addresses;
  readonly account: Account;
}
