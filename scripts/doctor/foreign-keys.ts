/** A foreign key without an index that starts with its columns: each delete of the parent scans the child under a lock. */
import type { Finding } from './finding.ts';
import { LIST_ROWS, TABLE_BYTES_MIN } from './limits.ts';
import type { Servers } from './servers.ts';
import { showBytes } from './show.ts';

const check = 'foreign-keys';

type Missing = { child: string; parent: string; name: string; columns: string; bytes: number; isPartitioned: boolean };

export async function foreignKeys({ primary }: Servers): Promise<Finding[]> {
  // Index columns are numbered from 0; the key's can come first in any order. A partitioned table is as large as its
  // parts.
  const missing = await primary.rows<Missing>(
    `select conrelid::regclass::text as child, confrelid::regclass::text as parent, conname as name, bytes,
      exists (select from pg_partitioned_table where partrelid = conrelid) as "isPartitioned",
      (select string_agg(quote_ident(attname), ', ' order by position) from unnest(conkey) with ordinality as key (number, position)
        join pg_attribute on attrelid = conrelid and attnum = number) as columns
    from pg_constraint
    cross join lateral (select coalesce((select sum(pg_relation_size(relid)) from pg_partition_tree(conrelid)),
      pg_relation_size(conrelid)) as bytes) as size
    where contype = 'f' and conparentid = 0 and bytes >= $1 and not exists (
      select from pg_index where indrelid = conrelid and indisvalid and indpred is null
        and (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey)
    order by bytes desc, name limit $2`,
    [TABLE_BYTES_MIN, LIST_ROWS],
  );
  if (missing.length === 0) {
    const says = `every foreign key of a table of ${showBytes(TABLE_BYTES_MIN)} or more has an index`;
    return [{ check, level: 'ok', says }];
  }
  return missing.map((key) => ({
    check,
    level: 'advice',
    says: `${key.child} (${showBytes(key.bytes)}) has no index for ${key.name}: a delete from ${key.parent} can scan all of it`,
    advice: `${statement(key)}, unless nothing is ever deleted from ${key.parent}`,
  }));
}

/** PostgreSQL cannot build an index of a partitioned table concurrently. */
function statement({ child, columns, isPartitioned }: Missing): string {
  return isPartitioned
    ? `create index on only ${child} (${columns}), the same concurrently on each partition, and attach them`
    : `create index concurrently on ${child} (${columns})`;
}
