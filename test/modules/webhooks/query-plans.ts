import type { SmallGroup } from '../../../scripts/query-plans/module-plans.ts';

export const smallGroups: readonly SmallGroup[] = [
  { table: 'webhook_endpoints', columns: ['org_id'], because: 'WEBHOOKS_MAX' },
];

export const indexesAcross = {
  webhook_endpoints_due: 'mailers look for what is due in all organisations',
  webhook_endpoints_untold: 'a sweep finds whose owners have yet to hear in all of them',
  webhook_deliveries_by_age: 'retention deletes what is old in all of them',
};
