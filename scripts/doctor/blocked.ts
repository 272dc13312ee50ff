/** Sessions that have waited for a lock for long, and who holds it. Behind a DDL statement that waits, everybody waits. */
import type { Finding } from './finding.ts';
import { BLOCKED_MS_MAX, LIST_ROWS } from './limits.ts';
import type { Servers } from './servers.ts';
import { showCount, showMs } from './show.ts';

const check = 'blocked';

type Blocker = { pid: number; who: string; state: string; waiting: number; ms: number };

export async function blocked({ primary }: Servers): Promise<Finding[]> {
  const blockers = await primary.rows<Blocker>(
    `select blocker.pid, coalesce(nullif(blocker.application_name, ''), 'no name') as who,
      coalesce(blocker.state, 'hidden') as state, count(*) as waiting,
      max(extract(epoch from now() - waiter.state_change)) * 1000 as ms
    from pg_stat_activity waiter
    cross join lateral unnest(pg_blocking_pids(waiter.pid)) as by(pid)
    join pg_stat_activity blocker on blocker.pid = by.pid
    where waiter.wait_event_type = 'Lock'
    group by blocker.pid, who, blocker.state
    having max(extract(epoch from now() - waiter.state_change)) * 1000 >= $1
    order by waiting desc limit $2`,
    [BLOCKED_MS_MAX, LIST_ROWS],
  );
  if (blockers.length === 0)
    return [{ check, level: 'ok', says: `nobody has waited for a lock for ${showMs(BLOCKED_MS_MAX)}` }];
  return blockers.map(({ pid, who, state, waiting, ms }) => ({
    check,
    level: 'danger',
    says: `process ${pid} (${who}, ${state}) holds up ${showCount(waiting)} others, for ${showMs(ms)} so far`,
    advice: `select pg_terminate_backend(${pid}) if nothing needs it`,
  }));
}
