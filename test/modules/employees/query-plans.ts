import type { SmallGroup } from '../../../scripts/query-plans/small-groups.ts';

export const smallGroups: readonly SmallGroup[] = [{ table: 'teams', columns: ['org_id'], because: 'TEAMS_MAX' }];
