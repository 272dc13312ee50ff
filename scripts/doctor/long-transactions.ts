/**
 * An open transaction keeps its locks, and keeps vacuum from removing any row, in any table, that has died since it
 * began.
 */
import type { Finding } from './finding.ts';
import { LIST_ROWS, TRANSACTION_MS_MAX } from './limits.ts';
import { databases, type Server, type Servers } from './servers.ts';
import { showMs } from './show.ts';

const check = 'long-transactions';

type Open = { who: string; state: string; ms: number; end: string };

export async function longTransactions(servers: Servers): Promise<Finding[]> {
  return (await Promise.all(databases(servers).map(openOn))).flat();
}

async function openOn({ name, rows, seesOthers }: Server): Promise<Finding[]> {
  // A prepared transaction does not belong to a session: it survives a restart, and can only be ended by name.
  const open = await rows<Open>(
    `select * from (
      select format('process %s (%s, role %s)', pid, coalesce(nullif(application_name, ''), 'no name'), usename) as who, state,
        extract(epoch from now() - xact_start) * 1000 as ms, format('select pg_terminate_backend(%s)', pid) as "end"
      from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()
      union all
      select 'prepared transaction', 'prepared', extract(epoch from now() - prepared) * 1000,
        format('rollback prepared %L', gid) from pg_prepared_xacts where not pg_is_in_recovery()
    ) as transactions where ms >= $1 order by ms desc limit $2`,
    [TRANSACTION_MS_MAX, LIST_ROWS],
  );
  const findings: Finding[] = open.map(({ who, state, ms, end }) => ({
    check,
    level: 'advice',
    says: `${name}: ${who} has been in a transaction for ${showMs(ms)} (${state})`,
    advice: `${end} if nothing needs it, and set idle_in_transaction_session_timeout for its role`,
  }));
  if (!seesOthers) {
    const says = `${name}: the transactions of other roles are hidden from this one`;
    findings.push({ check, level: 'advice', says, advice: 'connect as a member of pg_monitor' });
  }
  if (findings.length > 0) return findings;
  return [
    { check, level: 'ok', says: `${name}: no transaction has been open for longer than ${showMs(TRANSACTION_MS_MAX)}` },
  ];
}
