/**
 * What it is: the connections that all processes may open together, held against what the server allows, at start.
 * What fails without it: four instances with pools of a hundred meet a server that allows 341, and only under load.
 * How it works: pools times instances, plus a reserve, on each server; a start that would pass `max_connections` is
 *   refused with the arithmetic. Every process knows the whole deployment (API_INSTANCES …), so any of them sees it.
 *   Behind a pooler the server's limit is not ours to count: the pooler keeps it (README, Behind PgBouncer).
 * What it costs: two queries per start. Its bound: POOL_PRIMARY, POOL_REPLICA, CONNECTIONS_RESERVED.
 * Its proof: test/db/connection-budget.test.ts, bench/patterns/connection-budget.
 */
import { sql } from 'kysely';
import { type Config, instancesVariable } from '../config.ts';
import { StartError } from '../errors.ts';
import { CONNECTIONS_RESERVED, POOL_PRIMARY, POOL_REPLICA } from '../limits.ts';
import type { Log } from '../log.ts';
import { SERVING_PROCESSES } from '../processes.ts';
import type { Database } from './read-write-split.ts';

export type Server = 'primary' | 'replica';
type Instances = Config['instances'];

export interface Budget {
  readonly needed: number;
  readonly allowed: number;
  /** `api 2 x 5 + mailer 1 x 4 + chat 1 x 5 + 8 reserved = 27 of 40`. */
  readonly arithmetic: string;
}

/** Pools of the deployment's instances on one server. */
export function connectionBudget(server: Server, instances: Instances, allowed: number): Budget {
  const pools = server === 'primary' ? POOL_PRIMARY : POOL_REPLICA;
  const names = (Object.keys(instances) as (keyof Instances)[]).filter(
    (name) => instances[name] > 0 && pools[name] > 0,
  );
  const needed = names.reduce((sum, name) => sum + instances[name] * pools[name], 0) + CONNECTIONS_RESERVED;
  const terms = names.map((name) => `${name} ${instances[name]} x ${pools[name]}`);
  return {
    needed,
    allowed,
    arithmetic: `${[...terms, `${CONNECTIONS_RESERVED} reserved`].join(' + ')} = ${needed} of ${allowed}`,
  };
}

/** Says the arithmetic in the log; throws StartError when the deployment would pass what a server allows. */
export async function refuseOverBudget(
  database: Pick<Database, 'server' | 'isPooled'>,
  instances: Instances,
  hasReplica: boolean,
  log: Log,
): Promise<void> {
  if (await database.isPooled()) {
    log.info('a pooler keeps the connections: its own limits are the budget');
    return;
  }
  const { rows } = await sql<{ allowed: number }>`
    select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - current_setting('reserved_connections')::int as allowed`.execute(database.server);
  const allowed = rows[0]?.allowed ?? 0;
  // A standby allows at least as many as its primary, or PostgreSQL does not start it: no need to ask it.
  for (const server of hasReplica ? (['primary', 'replica'] as const) : (['primary'] as const)) {
    const { needed, arithmetic } = connectionBudget(server, instances, allowed);
    if (needed > allowed) {
      throw new StartError(
        `All processes together may open more connections than the ${server} allows: ${arithmetic}. ` +
          `Run fewer instances (${SERVING_PROCESSES.map(instancesVariable).join(', ')}), raise max_connections, or put PgBouncer in between.`,
      );
    }
    log.info({ server, connections: arithmetic }, 'connections fit');
  }
}
