/**
 * Indexes that no query has used on any server: every write maintains them, and they take cache memory from the others.
 */
import type { Finding } from './finding.ts';
import { CANDIDATE_ROWS, INDEX_BYTES_MIN, LIST_ROWS, STATISTICS_YOUNG_MS } from './limits.ts';
import { databases, type Server, type Servers } from './servers.ts';
import { showBytes, showMs } from './show.ts';

const check = 'unused-indexes';

type Index = { name: string; table: string; bytes: number; isPartitioned: boolean };

export async function unusedIndexes(servers: Servers): Promise<Finding[]> {
  const candidates = await unusedOn(servers.primary);
  const used = servers.replica === undefined ? new Set() : await usedAmong(servers.replica, candidates);
  const unused = candidates.filter(({ name }) => !used.has(name)).slice(0, LIST_ROWS);
  const ageMs = Math.min(...(await Promise.all(databases(servers).map(statisticsAgeMs))));
  const since = `in the ${showMs(ageMs)} that the statistics cover`;
  if (unused.length === 0) {
    return [{ check, level: 'ok', says: `no index of ${showBytes(INDEX_BYTES_MIN)} or more went unused ${since}` }];
  }
  const caveats = [
    ...(ageMs < STATISTICS_YOUNG_MS ? [`wait until they cover ${showMs(STATISTICS_YOUNG_MS)}`] : []),
    ...(servers.replica === undefined ? ['ask with --replica-url, where there are replicas that read'] : []),
  ];
  return unused.map(({ name, table, bytes, isPartitioned }) => ({
    check,
    level: 'advice',
    says: `${name} on ${table} (${showBytes(bytes)}) was not used ${since}`,
    advice: [...caveats, `then drop index ${isPartitioned ? '' : 'concurrently '}${name}`].join('; '),
  }));
}

/**
 * An index that enforces a constraint (unique, exclusion, replica identity) is used even if no query reads it, and so
 * is the index behind a foreign key (see foreign-keys). The parts of a partitioned index count together.
 */
function unusedOn({ rows }: Server): Promise<Index[]> {
  return rows<Index>(
    `select coalesce(pg_partition_root(indexrelid), indexrelid)::regclass::text as name,
      coalesce(pg_partition_root(min(relid)), min(relid))::regclass::text as table, sum(pg_relation_size(indexrelid)) as bytes,
      bool_or(pg_partition_root(indexrelid) is not null) as "isPartitioned"
    from pg_stat_user_indexes join pg_index using (indexrelid)
    where not (indisunique or indisexclusion or indisreplident) and indisvalid and not exists (
      select from pg_constraint where contype = 'f' and conrelid = indrelid
        and (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey)
    group by coalesce(pg_partition_root(indexrelid), indexrelid)
    having sum(idx_scan) = 0 and sum(pg_relation_size(indexrelid)) >= $1
    order by bytes desc limit $2`,
    [INDEX_BYTES_MIN, CANDIDATE_ROWS],
  );
}

/** A replica counts its own reads. Matched by name, because a logical replica has different oids. */
async function usedAmong({ rows }: Server, candidates: Index[]): Promise<Set<string>> {
  const used = await rows<{ name: string }>(
    `select coalesce(pg_partition_root(indexrelid), indexrelid)::regclass::text as name from pg_stat_user_indexes
    where idx_scan > 0 and coalesce(pg_partition_root(indexrelid), indexrelid)::regclass::text = any($1)`,
    [candidates.map(({ name }) => name)],
  );
  return new Set(used.map(({ name }) => name));
}

/** If they were never reset, they are at least as old as the server's uptime. */
async function statisticsAgeMs({ rows }: Server): Promise<number> {
  const [row] = await rows<{ ms: number }>(`
    select (extract(epoch from now() - coalesce(stats_reset, pg_postmaster_start_time())) * 1000) as ms
    from pg_stat_database where datname = current_database()`);
  return row?.ms ?? 0;
}
