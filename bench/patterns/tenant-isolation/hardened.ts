import { openBenchPool } from '../bench-pool.ts';
import type { Servers } from '../pattern.ts';
import type { Opened } from './case.ts';

/** The product's pool: a statement travels with its organisation, and PostgreSQL shows the rows of no other one. */
export function open({ workerDatabaseUrl }: Servers): Opened {
  const pool = openBenchPool(workerDatabaseUrl, 1);
  return { within: (scope) => pool.within({ scope }), close: pool.close };
}
