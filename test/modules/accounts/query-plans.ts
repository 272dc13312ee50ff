import type { SmallGroup } from '../../../scripts/query-plans/module-plans.ts';

export const smallGroups: readonly SmallGroup[] = [
  { table: 'users', columns: ['org_id'], because: 'MEMBERS_MAX' },
  { table: 'invitations', columns: ['org_id'], because: 'MEMBERS_MAX, and 30 days of expired ones' },
  { table: 'api_keys', columns: ['org_id'], because: 'API_KEYS_MAX' },
  { table: 'recovery_codes', columns: ['org_id', 'user_id'], because: 'RECOVERY_CODES' },
];
