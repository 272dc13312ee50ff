/** Transaction ids can run out: before the oldest one in use wraps around, PostgreSQL refuses every write. */
import type { Finding } from './finding.ts';
import { FREEZE_OVERDUE_FACTOR, XID_AGE_MAX } from './limits.ts';
import type { Servers } from './servers.ts';
import { showCount } from './show.ts';

const check = 'transaction-age';

type Age = { kind: string; database: string; age: number; freezeAt: number };

export async function transactionAge({ primary }: Servers): Promise<Finding[]> {
  // Across all databases: the one with the oldest id stops writes in the others too.
  const ages = await primary.rows<Age>(`
    (select 'transaction' as kind, datname as database, age(datfrozenxid) as age,
      current_setting('autovacuum_freeze_max_age')::int as "freezeAt" from pg_database order by age desc limit 1)
    union all
    (select 'multixact', datname, mxid_age(datminmxid),
      current_setting('autovacuum_multixact_freeze_max_age')::int from pg_database order by 3 desc limit 1)`);
  return ages.map(judge);
}

function judge({ kind, database, age, freezeAt }: Age): Finding {
  const says = `age of the oldest ${kind} id: ${showCount(age)}, in database ${database} (a vacuum is forced at ${showCount(freezeAt)}, writes stop at about 2.1 billion)`;
  const advice = `in ${database}: end long and prepared transactions, drop unused slots, then vacuum (freeze) its oldest tables`;
  if (age >= XID_AGE_MAX) return { check, level: 'danger', says, advice };
  if (age >= freezeAt * FREEZE_OVERDUE_FACTOR) return { check, level: 'advice', says, advice };
  return { check, level: 'ok', says };
}
