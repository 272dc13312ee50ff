import { sql } from 'kysely';
import type { Db } from '../../src/db/database.ts';

/** Prepares the transaction of the seed, and gives it pg_temp.chance(). */
export async function settle(db: Db): Promise<void> {
  // A role's own timeouts are meant for requests, and one process takes what many would share.
  await sql`set local statement_timeout = 0; set local work_mem = '16MB'; set local timezone = 'UTC'`.execute(db);
  // The planner takes what a CTE returns for a handful of rows, and joins thousands with thousands in nested loops.
  await sql`set local enable_nestloop = off`.execute(db);
  // Foreign keys hold by construction (the tests look), and need no check per row. Only a superuser may skip it.
  const { rows } = await sql<{ may: boolean }>`
    select has_parameter_privilege('session_replication_role', 'set') as may`.execute(db);
  if (rows[0]?.may) await sql`set local session_replication_role = replica`.execute(db);
  // Never random(): a number from 0 to 1 that depends on nothing but its key and what it is for.
  await sql`
    create function pg_temp.chance(key bigint, purpose text) returns double precision immutable parallel safe
    return (hashint8extended(key, hashtext(purpose)) & 4294967295)::double precision / 4294967296`.execute(db);
}
