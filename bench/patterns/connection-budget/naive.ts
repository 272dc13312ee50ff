import { Kysely, PostgresDialect } from 'kysely';
import { Pool } from 'pg';
import type { Schema } from '../../../src/db/schema.ts';
import { type Instance, POOL_OF_MANY } from './case.ts';

/** A large pool for each: it looks like room to spare, and nobody adds up. */
export async function startInstances(url: string, count: number): Promise<Instance[]> {
  const pools = Array.from({ length: count }, () => new Pool({ connectionString: url, max: POOL_OF_MANY }));
  return pools.map((pool) => ({
    db: new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) }),
    close: () => pool.end(),
  }));
}
