import type { SmallGroup } from '../../../scripts/query-plans/small-groups.ts';

export const smallGroups: readonly SmallGroup[] = [{ table: 'teams', columns: ['org_id'], because: 'TEAMS_MAX' }];

export const indexesAcross = { imports_running: 'the search for imports that stand still looks at all organisations' };
