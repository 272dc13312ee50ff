import { openBenchPool } from '../bench-pool.ts';
import type { Servers } from '../pattern.ts';
import type { Opened } from './case.ts';

/** The application signs in as the owner of the tables: whose rows a query sees is up to the query. */
export function open({ databaseUrl }: Servers): Opened {
  const pool = openBenchPool(databaseUrl, 1);
  return { within: () => pool.unscoped, close: pool.close };
}
