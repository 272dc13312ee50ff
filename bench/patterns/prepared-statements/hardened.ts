import { openBenchPool } from '../bench-pool.ts';
import { CONNECTIONS, type Opened } from './case.ts';

/** The product's pool: every statement is named by its text, parsed once per connection, and its plan is kept. */
export function open(url: string): Opened {
  const pool = openBenchPool(keepingPlans(url), CONNECTIONS);
  return { db: pool.unscoped, close: pool.close };
}

/** As the scope of every statement asks for; the owner, who has no scope here, asks when the connection is made. */
function keepingPlans(url: string): string {
  return `${url}?options=${encodeURIComponent('-c plan_cache_mode=force_generic_plan')}`;
}
