import type { Exception } from '../../../scripts/query-plans/exceptions.ts';
import type { SmallGroup } from '../../../scripts/query-plans/small-groups.ts';

export const exceptions: readonly Exception[] = [
  {
    site: 'src/modules/dashboard/queries.ts summary',
    rule: 'index-path',
    table: 'conversations',
    because: 'the conversations of the last 24 hours; none begins in the future, so the range has two ends',
  },
];

export const smallGroups: readonly SmallGroup[] = [
  { table: 'messages', columns: ['org_id', 'conversation_id'], because: 'CONVERSATION_MESSAGES_MAX' },
];
