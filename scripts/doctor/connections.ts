/** The pools of the whole deployment, as it was told and as it runs, against what each server allows, and the connections open now. */
import { connectionBudget, countInstances, instancesOf } from '../../src/db/connection-budget.ts';
import { readReports } from '../../src/redis/process-reports.ts';
import type { Finding } from './finding.ts';
import { CONNECTIONS_SHARE_MAX } from './limits.ts';
import { databases, type Server, type Servers } from './servers.ts';

const check = 'connections';

type Allowed = { allowed: number; bound: string };

export async function connections(servers: Servers): Promise<Finding[]> {
  const running = instancesOf(servers.redis === undefined ? [] : await readReports(servers.redis));
  const instances = countInstances(servers.instances, running);
  const findings = databases(servers).map(async (server) => {
    const allowed = await connectionsAllowed(server);
    return [budget(server, instances, allowed), await inUse(server, allowed)];
  });
  return (await Promise.all(findings)).flat();
}

/** A role and a database can have their own limits, below the server's. */
async function connectionsAllowed({ rows }: Server): Promise<Allowed> {
  const [row] = await rows<Allowed>(`
    select allowed, bound from (values
      ('max_connections less those reserved', current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true), '0')::int),
      ('the connection limit of the role', (select rolconnlimit from pg_roles where rolname = current_user)),
      ('the connection limit of the database',
        (select datconnlimit from pg_database where datname = current_database()))
    ) as bounds (bound, allowed) where allowed >= 0 order by allowed limit 1`);
  return row as Allowed;
}

function budget({ name }: Server, instances: Servers['instances'], { allowed, bound }: Allowed): Finding {
  const { needed, arithmetic } = connectionBudget(name, instances, allowed);
  const says = `${name}: ${arithmetic} (${bound})`;
  if (needed <= allowed) return { check, level: 'ok', says };
  const advice =
    'run fewer instances, raise that limit, or put PgBouncer in between: processes refuse to start like this';
  return { check, level: 'danger', says, advice };
}

async function inUse({ name, rows, seesOthers }: Server, { allowed }: Allowed): Promise<Finding> {
  // pg_stat_database counts all connections, even for a role that cannot see other sessions.
  const [now] = await rows<{ open: number }>('select sum(numbackends)::int as open from pg_stat_database');
  const states = await rows<{ text: string }>(`
    select count(*) || ' ' || state as text from pg_stat_activity
    where backend_type = 'client backend' and state is not null group by state order by count(*) desc`);
  const open = now?.open ?? 0;
  const detail = seesOthers
    ? states.map(({ text }) => text).join(', ')
    : 'their states are visible only to members of pg_monitor';
  const says = `${name}: ${open} of ${allowed} connections are open now (${detail})`;
  if (open <= allowed * CONNECTIONS_SHARE_MAX) return { check, level: 'ok', says };
  const advice =
    'find out in pg_stat_activity what holds them (application_name, state): a pool that is not in the budget';
  return { check, level: open >= allowed ? 'danger' : 'advice', says, advice };
}
