import type { Exception } from '../../../scripts/query-plans/module-plans.ts';

const FEW_ALERTS = 'ALERTS_MAX: there are about a hundred at most, one for each rule and kind of process';

export const exceptions: readonly Exception[] = [
  {
    site: 'src/modules/operations/retention.ts deleteUntold',
    rule: 'index-path',
    table: 'alerts',
    because: FEW_ALERTS,
  },
  {
    site: 'src/modules/operations/queries.ts firingAlerts',
    rule: 'index-path',
    table: 'alerts',
    because: FEW_ALERTS,
  },
];
