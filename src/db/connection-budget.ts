/**
 * What it is: a check at startup that the connections of all processes together fit what the server allows.
 * What fails without it: five instances with pg's default pool of ten want 50 connections of a server that allows 37,
 *   and about one request in eight fails, only under load (bench/results/patterns.json).
 * How it works: pools times instances, plus a reserve, on each server; a process that would exceed `max_connections`
 *   refuses to start and shows the arithmetic. Every process knows the whole deployment (API_INSTANCES …), so any of
 *   them notices. Behind a pooler the check is skipped: the pooler enforces the limit (README, Behind PgBouncer).
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

/** Adds up the pools of all instances on one server. */
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

/** Logs the arithmetic; throws StartError when the deployment would exceed what a server allows. */
export async function refuseOverBudget(
  database: Pick<Database, 'server' | 'isPooled'>,
  instances: Instances,
  hasReplica: boolean,
  log: Log,
): Promise<void> {
  if (await database.isPooled()) {
    log.info('connections go through a pooler: its limits apply instead of the budget');
    return;
  }
  const { rows } = await sql<{ allowed: number }>`
    select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - current_setting('reserved_connections')::int as allowed`.execute(database.server);
  const allowed = rows[0]?.allowed ?? 0;
  // PostgreSQL refuses to start a standby that allows fewer connections than its primary: no need to ask it.
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
