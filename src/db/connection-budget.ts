/**
 * What it is: the connections of all processes together are held against what the server allows, at each start and after.
 * What fails without it: five instances with pg's default pool of ten want 50 connections of a server that allows 37,
 *   and about one request in eight fails, only under load (bench/results/patterns.json).
 * How it works: pools times instances, plus a reserve, on each server. What a process was told (API_INSTANCES …) is a
 *   decision: if it would exceed `max_connections`, every process refuses to start and shows the arithmetic. A platform
 *   that adds instances tells nobody (`--scale`, an autoscaler), so the larger of what was told and what reports itself
 *   counts. A process beyond the told number starts as long as the pools of those before it leave room for its own. It may
 *   use the reserve, because the one that it replaces may be about to leave, and it waits for CROWDED_MS, because a process
 *   that died is counted until its report expires; then it refuses. Those that run are not stopped: when they reach into
 *   the reserve an alert says so (ConnectionsOverBudget). Behind a pooler nothing is checked: the pooler enforces the limit
 *   (README, Behind PgBouncer).
 * What it costs: two queries per start, and one of Redis for a process beyond the told number. While Redis is away only
 *   what was told counts.
 * Its bound: POOL_PRIMARY, POOL_REPLICA, CONNECTIONS_RESERVED, CROWDED_MS.
 * Its proof: test/db/connection-budget.test.ts, test/process/one-too-many.test.ts, bench/patterns/connection-budget.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { type Config, instancesVariable } from '../config.ts';
import { StartError } from '../errors.ts';
import { CONNECTIONS_RESERVED, CROWDED_AGAIN_MS, CROWDED_MS, POOL_PRIMARY, POOL_REPLICA } from '../limits.ts';
import type { Log } from '../log.ts';
import { SERVING_PROCESSES, type ServingProcess } from '../processes.ts';
import type { Db } from './schema.ts';

export type Server = 'primary' | 'replica';
export type Instances = Config['instances'];

export interface Budget {
  readonly needed: number;
  readonly allowed: number;
  /** `api 2 x 5 + mailer 1 x 4 + chat 1 x 5 + 8 reserved = 27 of 40`. */
  readonly arithmetic: string;
}

interface BudgetedDatabase {
  readonly server: Db;
  isPooled(): Promise<boolean>;
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

/** Of each process the larger number: an `all` that nobody was told of does the work of one of each of the others. */
export function countInstances(told: Instances, running: Instances): Instances {
  const untold = Math.max(0, running.all - told.all);
  return instancesBy((name) => Math.max(name === 'all' ? told.all : told[name] - untold, running[name]));
}

/** How many of each there are. */
export function instancesOf(processes: readonly { readonly name: string }[]): Instances {
  return instancesBy((name) => processes.filter((process) => process.name === name).length);
}

function instancesBy(countOf: (name: ServingProcess) => number): Instances {
  return Object.fromEntries(SERVING_PROCESSES.map((name) => [name, countOf(name)])) as Instances;
}

/** Logs the arithmetic; throws StartError when the deployment would exceed what a server allows. */
export async function refuseOverBudget(
  database: BudgetedDatabase,
  instances: Instances,
  hasReplica: boolean,
  log: Log,
): Promise<void> {
  if (await database.isPooled()) {
    log.info('connections go through a pooler: its limits apply instead of the budget');
    return;
  }
  const allowed = await connectionsAllowed(database.server);
  // PostgreSQL refuses to start a standby that allows fewer connections than its primary: no need to ask it.
  for (const server of hasReplica ? (['primary', 'replica'] as const) : (['primary'] as const)) {
    const { needed, arithmetic } = connectionBudget(server, instances, allowed);
    if (needed > allowed) {
      throw new StartError(
        `All processes together may open more connections than the ${server} allows: ${arithmetic}. ` +
          `Run fewer instances (${SERVING_PROCESSES.map(instancesVariable).join(', ')}), ${WAYS_OUT}.`,
      );
    }
    log.info({ server, connections: arithmetic }, 'connections fit');
  }
}

export interface Newcomer {
  readonly name: ServingProcess;
  readonly told: Instances;
  /** Those that reported before this process did; undefined when that is not known. Asked again while it waits. */
  runningBefore(): Promise<Instances | undefined>;
}

/**
 * Throws StartError when the pools of those that run leave no room for this process, which nobody was told of. Of several
 * that start at the same time the last ones are too many. Only the primary is looked at: no pool of the replica is larger.
 */
export async function refuseOneTooMany(
  database: BudgetedDatabase,
  { name, told, runningBefore }: Newcomer,
  log: Log,
  crowdedMs = CROWDED_MS,
): Promise<void> {
  const isTold = (before: Instances | undefined) => before === undefined || before[name] < told[name];
  let before = await runningBefore();
  if (isTold(before) || (await database.isPooled())) return;
  const allowed = await connectionsAllowed(database.server);
  const deadline = performance.now() + crowdedMs;
  for (let tries = 1; ; tries++) {
    if (before === undefined || isTold(before)) return;
    const withThis = countInstances(told, { ...before, [name]: before[name] + 1 });
    const { needed, arithmetic } = connectionBudget('primary', withThis, allowed);
    if (needed - CONNECTIONS_RESERVED <= allowed) {
      const where = needed > allowed ? 'only into those kept in reserve' : 'beside those of the processes that run';
      log.info({ server: 'primary', connections: arithmetic }, `connections fit ${where}`);
      return;
    }
    if (performance.now() > deadline)
      throw new StartError(
        `The processes that run leave no connections of the primary for one more ${name}: ${arithmetic}. ` +
          `Run fewer instances, ${WAYS_OUT}.`,
      );
    if (tries === 1)
      log.warn({ server: 'primary', connections: arithmetic }, 'no connections are left: waiting for some');
    await sleep(CROWDED_AGAIN_MS);
    before = await runningBefore();
  }
}

export const WAYS_OUT = 'raise max_connections, or put PgBouncer in between';

/** To roles without privileges. */
export async function connectionsAllowed(server: Db): Promise<number> {
  const { rows } = await sql<{ allowed: number }>`
    select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - current_setting('reserved_connections')::int as allowed`.execute(server);
  return rows[0]?.allowed ?? 0;
}
