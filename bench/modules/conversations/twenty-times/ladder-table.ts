import { markdownTable } from '../../../report/markdown-table.ts';
import type { Climbed } from './climb.ts';

const HEAD = [
  'rung',
  'users held',
  'what broke first',
  'answers/s',
  'ack p99',
  'dashboard p95',
  'mails/s',
  'peak memory',
];

/** In Markdown, from the bottom to the top. */
export function ladderTable(ladder: readonly Climbed[]): string {
  const rows = ladder.map((one) => [
    one.rung,
    usersOf(one),
    one.broke,
    String(one.answersPerSecond),
    `${one.ackP99Ms} ms`,
    `${one.dashboardP95Ms} ms`,
    String(one.mailsPerSecond),
    `${one.peakMb} MB (${one.peakOf})${one.oomKills > 0 ? `, killed ${one.oomKills} times` : ''}`,
  ]);
  return markdownTable(HEAD, rows, [0, 2]);
}

function usersOf({ users, isAtLeast, levels }: Climbed): string {
  if (users === 0) return `fewer than ${Math.min(...levels.map((level) => level.users))}`;
  return `${isAtLeast ? 'at least ' : ''}${users.toLocaleString('en')}`;
}
