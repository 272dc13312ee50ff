/** Sorts and hashes that did not fit into work_mem and went to disk. */
import type { Finding } from './finding.ts';
import { TEMPORARY_BYTES_PER_DAY_MAX } from './limits.ts';
import type { Servers } from './servers.ts';
import { showBytes, showCount } from './show.ts';

const check = 'temporary-files';

export async function temporaryFiles({ primary }: Servers): Promise<Finding[]> {
  const [used] = await primary.rows<{ files: number; bytes: number; days: number; work: string }>(`
    select temp_files as files, temp_bytes as bytes, current_setting('work_mem') as work,
      greatest(extract(epoch from now() - coalesce(stats_reset, pg_postmaster_start_time())) / 86400, 1) as days
    from pg_stat_database where datname = current_database()`);
  const { files = 0, bytes = 0, days = 1, work = '' } = used ?? {};
  const says = `${showBytes(bytes / days)} a day in ${showCount(files)} temporary files (work_mem is ${work})`;
  if (bytes / days < TEMPORARY_BYTES_PER_DAY_MAX) return [{ check, level: 'ok', says }];
  const advice = 'log_temp_files = 0 shows which statements; give them an index or a limit before you raise work_mem';
  return [{ check, level: 'advice', says, advice }];
}
