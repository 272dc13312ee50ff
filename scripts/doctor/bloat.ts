/** Dead rows that have not been removed, and whether autovacuum is on to remove them. */
import { type Finding, listed } from './finding.ts';
import { DEAD_ROWS_MIN, DEAD_SHARE_MAX, LIST_ROWS } from './limits.ts';
import type { Servers } from './servers.ts';
import { showCount, showMs, showShare } from './show.ts';

const check = 'bloat';

type Table = { name: string; dead: number; share: number; vacuumedMsAgo: number | null };

export async function bloat({ primary }: Servers): Promise<Finding[]> {
  const tables = await primary.rows<Table>(
    `select relid::regclass::text as name, n_dead_tup as dead, n_dead_tup::float8 / (n_live_tup + n_dead_tup) as share,
      extract(epoch from now() - greatest(last_vacuum, last_autovacuum)) * 1000 as "vacuumedMsAgo"
    from pg_stat_user_tables where n_dead_tup >= $1 and n_dead_tup >= $2::float8 * (n_live_tup + n_dead_tup)
    order by dead desc limit $3`,
    [DEAD_ROWS_MIN, DEAD_SHARE_MAX, LIST_ROWS],
  );
  return [deadRows(tables), ...(await switchedOff({ primary }))];
}

function deadRows(tables: Table[]): Finding {
  if (tables.length === 0) {
    const says = `no table has ${showCount(DEAD_ROWS_MIN)} or more dead rows that make up ${showShare(DEAD_SHARE_MAX)} of it`;
    return { check, level: 'ok', says };
  }
  const lines = tables.map(({ name, dead, share, vacuumedMsAgo }) => {
    const vacuumed = vacuumedMsAgo === null ? 'never vacuumed' : `vacuumed ${showMs(vacuumedMsAgo)} ago`;
    return `${name} ${showCount(dead)} (${showShare(share)}, ${vacuumed})`;
  });
  const advice =
    'check long-transactions and replication-slots for what holds vacuum back; then vacuum these tables and lower their autovacuum_vacuum_scale_factor';
  return { check, level: 'advice', says: `dead rows: ${listed(lines, LIST_ROWS)}`, advice };
}

async function switchedOff({ primary }: Pick<Servers, 'primary'>): Promise<Finding[]> {
  const [server] = await primary.rows<{ works: boolean }>(
    "select current_setting('autovacuum')::bool and current_setting('track_counts')::bool as works",
  );
  const tables = await primary.rows<{ name: string }>(
    `select oid::regclass::text as name from pg_class where relkind in ('r', 't', 'm') and exists (
      select from pg_options_to_table(reloptions)
      where option_name = 'autovacuum_enabled' and option_value in ('off', 'false', 'no', '0'))
    order by relpages desc limit $1`,
    [LIST_ROWS],
  );
  const off = [...(server?.works ? [] : ['the whole server']), ...tables.map(({ name }) => name)];
  if (off.length === 0) return [{ check, level: 'ok', says: 'autovacuum is on for every table' }];
  const says = `autovacuum is switched off for ${listed(off, LIST_ROWS)}`;
  return [{ check, level: 'advice', says, advice: 'switch it on (autovacuum, track_counts, autovacuum_enabled)' }];
}
