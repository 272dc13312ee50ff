/** Whether the log goes to a backup. A command that fails keeps every segment, until the disk is full. */
import type { Finding } from './finding.ts';
import type { Servers } from './servers.ts';
import { showCount, showMs } from './show.ts';

const check = 'archiving';

type Archiver = { mode: string; failed: number; failing: boolean; failedFor: number | null; ago: number | null };

export async function archiving({ primary }: Servers): Promise<Finding[]> {
  const [archiver] = await primary.rows<Archiver>(`
    select current_setting('archive_mode') as mode, failed_count as failed,
      coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) as failing,
      extract(epoch from now() - coalesce(last_archived_time, stats_reset)) * 1000 as "failedFor",
      extract(epoch from now() - last_archived_time) * 1000 as ago
    from pg_stat_archiver`);
  if (archiver === undefined || archiver.mode === 'off') {
    const says = 'the log is not archived: a lost disk costs everything since the last dump';
    return [
      { check, level: 'advice', says, advice: 'docs/backups.md; a provider that archives by itself needs nothing' },
    ];
  }
  const { failed, failing, failedFor, ago } = archiver;
  if (failing) {
    const says = `archiving fails, ${showCount(failed)} times so far, and nothing has been archived for ${showMs(failedFor ?? 0)}`;
    return [
      {
        check,
        level: 'danger',
        says,
        advice: "the server's log has the command's own words; the log fills the disk meanwhile",
      },
    ];
  }
  return [
    {
      check,
      level: 'ok',
      says: ago === null ? 'archiving is on, and has had nothing to do' : `the log was archived ${showMs(ago)} ago`,
    },
  ];
}
