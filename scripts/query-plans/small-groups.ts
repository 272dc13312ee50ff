import { modulePlans, type SmallGroup } from './module-plans.ts';

/** The platform's, and those of each module: `smallGroups` of test/modules/<noun>/query-plans.ts. */
export const SMALL_GROUPS: readonly SmallGroup[] = [
  {
    table: 'idempotency_keys',
    columns: ['key_hash'],
    because: 'it is looked up without its caller only for strangers, whose key names the request that it was sent with',
  },
  ...(await modulePlans()).flatMap(({ smallGroups = [] }) => smallGroups),
];
