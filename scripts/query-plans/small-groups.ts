/** Rows that share these columns are few, because the product keeps them so: each with what does. */
export const SMALL_GROUPS: readonly { table: string; columns: readonly string[]; because: string }[] = [
  { table: 'teams', columns: ['org_id'], because: 'TEAMS_MAX' },
  { table: 'messages', columns: ['org_id', 'conversation_id'], because: 'CONVERSATION_MESSAGES_MAX' },
  { table: 'mood_days', columns: ['org_id', 'day'], because: 'one row per team: TEAMS_MAX' },
];
