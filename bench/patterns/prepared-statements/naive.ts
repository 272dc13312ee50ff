import { Kysely, PostgresDialect } from 'kysely';
import { Pool } from 'pg';
import type { Schema } from '../../../src/db/schema.ts';
import { APPLICATION, AS_TEXT, CONNECTIONS, type Opened } from './case.ts';

/** kysely and pg as they come: every statement goes without a name, and is parsed and planned each time. */
export function open(url: string): Opened {
  const pool = new Pool({ connectionString: url, application_name: APPLICATION, max: CONNECTIONS, types: AS_TEXT });
  return { db: new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) }), close: () => pool.end() };
}
