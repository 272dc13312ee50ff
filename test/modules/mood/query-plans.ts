import type { SmallGroup } from '../../../scripts/query-plans/small-groups.ts';

export const smallGroups: readonly SmallGroup[] = [
  { table: 'mood_days', columns: ['org_id', 'day'], because: 'one row per team: TEAMS_MAX' },
];
