import type { SmallGroup } from '../../../scripts/query-plans/module-plans.ts';

export const smallGroups: readonly SmallGroup[] = [{ table: 'teams', columns: ['org_id'], because: 'TEAMS_MAX' }];

export const indexesAcross = {
  imports_by_age: 'retention deletes what is old in all organisations',
  imports_running: 'the search for imports that stand still looks at all organisations',
};
