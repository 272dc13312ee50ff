/** Ids that run out: the sequence, or the column that is too narrow for it. The next insert then fails. */
import { type Finding, listed } from './finding.ts';
import { LIST_ROWS, SEQUENCE_FULL_SHARE, SEQUENCE_USED_SHARE_MAX } from './limits.ts';
import type { Servers } from './servers.ts';

const check = 'sequences';

type Used = { column: string; share: number };

export async function sequences({ primary }: Servers): Promise<Finding[]> {
  const used = await primary.rows<Used>(
    `select format('%s.%s (%s)', c.oid::regclass, attname, format_type(atttypid, null)) as column,
      coalesce(last_value, 0)::float8 / least(max_value,
        case atttypid when 'int2'::regtype then 32767 when 'int4'::regtype then 2147483647 else max_value end) as share
    from pg_depend d
    join pg_class s on s.oid = d.objid and s.relkind = 'S'
    join pg_namespace n on n.oid = s.relnamespace
    join pg_sequences q on q.schemaname = n.nspname and q.sequencename = s.relname
    join pg_class c on c.oid = d.refobjid
    join pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid
    where d.deptype in ('a', 'i') and d.classid = 'pg_class'::regclass and q.increment_by > 0 and not q.cycle
    order by share desc limit $1`,
    [LIST_ROWS],
  );
  const shown = ({ column, share }: Used) => `${column}: ${Math.round(share * 100)} %`;
  const near = used.filter(({ share }) => share >= SEQUENCE_USED_SHARE_MAX);
  if (near.length === 0) {
    const [most] = used;
    return [
      { check, level: 'ok', says: most === undefined ? 'no column counts up' : `ids used: ${shown(most)} at most` },
    ];
  }
  const level = near.some(({ share }) => share >= SEQUENCE_FULL_SHARE) ? 'danger' : 'advice';
  const says = `ids run out: ${listed(near.map(shown), LIST_ROWS)}`;
  return [{ check, level, says, advice: 'add a bigint column, fill it page by page, and swap the two' }];
}
