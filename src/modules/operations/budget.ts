import type { Config } from '../../config.ts';
import {
  type Budget,
  connectionBudget,
  connectionsAllowed,
  countInstances,
  instancesOf,
} from '../../db/connection-budget.ts';
import type { Database } from '../../db/read-write-split.ts';
import type { ProcessReport } from '../../process/metrics.ts';

/** Of the processes that run, and those that should; undefined behind a pooler, which has limits of its own. */
export async function runningBudget(
  database: Pick<Database, 'server' | 'isPooled'>,
  told: Config['instances'],
  reports: readonly Pick<ProcessReport, 'name'>[],
): Promise<Budget | undefined> {
  if (await database.isPooled()) return undefined;
  const allowed = await connectionsAllowed(database.server);
  return connectionBudget('primary', countInstances(told, instancesOf(reports)), allowed);
}
