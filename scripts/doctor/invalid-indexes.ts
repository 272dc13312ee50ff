/** Indexes that a failed CREATE INDEX CONCURRENTLY left behind: every write maintains them, no query uses them. */
import type { Finding } from './finding.ts';
import { LIST_ROWS } from './limits.ts';
import type { Servers } from './servers.ts';
import { showBytes } from './show.ts';

const check = 'invalid-indexes';

export async function invalidIndexes({ primary }: Servers): Promise<Finding[]> {
  const [builds] = await primary.rows<{ running: number }>(
    'select count(*)::int as running from pg_stat_progress_create_index where datname = current_database()',
  );
  const invalid = await primary.rows<{ name: string; table: string; bytes: number }>(
    `select indexrelid::regclass::text as name, indrelid::regclass::text as table, pg_relation_size(indexrelid) as bytes
    from pg_index join pg_class on pg_class.oid = indexrelid
    where not indisvalid and relkind = 'i' order by bytes desc, name limit $1`,
    [LIST_ROWS],
  );
  if (invalid.length === 0) return [{ check, level: 'ok', says: 'every index is valid' }];
  const first =
    (builds?.running ?? 0) > 0
      ? 'an index is being built right now: run the doctor again when it is done; otherwise '
      : '';
  return invalid.map(({ name, table, bytes }) => ({
    check,
    level: 'advice',
    says: `${name} on ${table} (${showBytes(bytes)}) is invalid: every write maintains it, no query uses it`,
    advice: `${first}reindex index concurrently ${name}, or drop index concurrently ${name}`,
  }));
}
