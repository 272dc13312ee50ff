/** "Team" and "import" only where they cannot be English or TypeScript; `.unsubscribe(` is a command of Redis. */
export const words: readonly string[] = [
  'employee',
  '(?<!\\.)unsubscri',
  'team_?id\\b',
  '/teams?\\b',
  "'teams?'",
  '\\bteams\\.',
  '/imports?\\b(?!/)',
  "'imports'",
  '\\bimports_',
  'rows_?(?:added|rejected|unchanged)',
];
