import type { Exception } from '../../../scripts/query-plans/module-plans.ts';

export const exceptions: readonly Exception[] = [
  {
    site: 'src/modules/operations/retention.ts deleteUntold',
    rule: 'index-path',
    table: 'alerts',
    because: 'ALERTS_MAX: there are about a hundred at most, one for each rule and kind of process',
  },
];
