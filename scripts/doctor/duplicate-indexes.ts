/** Indexes whose columns are the first ones of another index: every write maintains both, and one would do. */
import { type Finding, listed } from './finding.ts';
import { INDEX_BYTES_MIN, LIST_ROWS } from './limits.ts';
import type { Servers } from './servers.ts';
import { showBytes } from './show.ts';

const check = 'duplicate-indexes';

type Duplicate = { name: string; table: string; bytes: number; by: string };

export async function duplicateIndexes({ primary }: Servers): Promise<Finding[]> {
  // Of two that are equal the one that was made later goes. One that enforces something stays.
  const found = await primary.rows<Duplicate>(
    `select less.indexrelid::regclass::text as name, less.indrelid::regclass::text as table,
      pg_relation_size(less.indexrelid) as bytes, min(more.indexrelid::regclass::text) as by
    from pg_index less
    join pg_class as index on index.oid = less.indexrelid
    join pg_index more on more.indrelid = less.indrelid and more.indexrelid <> less.indexrelid
    join pg_class as other on other.oid = more.indexrelid and other.relam = index.relam
    where not (less.indisunique or less.indisexclusion or less.indisreplident) and less.indisvalid and more.indisvalid
      and index.relkind = 'i' and index.relam = (select oid from pg_am where amname = 'btree')
      and less.indnkeyatts <= more.indnkeyatts and less.indnatts = less.indnkeyatts and 0 <> all (less.indkey::int2[])
      and (more.indkey::int2[])[0:less.indnkeyatts - 1] = (less.indkey::int2[])[0:less.indnkeyatts - 1]
      and (more.indclass::oid[])[0:less.indnkeyatts - 1] = (less.indclass::oid[])[0:less.indnkeyatts - 1]
      and (more.indcollation::oid[])[0:less.indnkeyatts - 1] = (less.indcollation::oid[])[0:less.indnkeyatts - 1]
      and (more.indoption::int2[])[0:less.indnkeyatts - 1] = (less.indoption::int2[])[0:less.indnkeyatts - 1]
      and pg_get_expr(less.indpred, less.indrelid) is not distinct from pg_get_expr(more.indpred, more.indrelid)
      and (less.indnkeyatts < more.indnkeyatts or more.indisunique or more.indexrelid < less.indexrelid)
      and pg_relation_size(less.indexrelid) >= $1
    group by less.indexrelid, less.indrelid order by bytes desc limit $2`,
    [INDEX_BYTES_MIN, LIST_ROWS],
  );
  if (found.length === 0) return [{ check, level: 'ok', says: 'no index repeats the first columns of another one' }];
  const advice = listed(
    found.map(({ name }) => `drop index concurrently ${name}`),
    LIST_ROWS,
  );
  const says = found.map(
    ({ name, table, bytes, by }) => `${name} on ${table} (${showBytes(bytes)}) is covered by ${by}`,
  );
  return [{ check, level: 'advice', says: listed(says, LIST_ROWS), advice }];
}
