import { Kysely, PostgresDialect } from 'kysely';
import { Pool } from 'pg';
import type { Schema } from '../../../src/db/schema.ts';
import type { Instance } from './case.ts';

/** pg's default pool, of ten connections, in every instance: each one is small, and they are never added up. */
export async function startInstances(url: string, count: number): Promise<Instance[]> {
  return Array.from({ length: count }, () => {
    const pool = new Pool({ connectionString: url });
    return { db: new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) }), close: () => pool.end() };
  });
}
