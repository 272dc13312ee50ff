import type { SmallGroup } from '../../../scripts/query-plans/module-plans.ts';

export const smallGroups: readonly SmallGroup[] = [
  { table: 'mood_days', columns: ['org_id', 'day'], because: 'one row per team: TEAMS_MAX' },
];
