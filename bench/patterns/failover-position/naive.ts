import { sql } from 'kysely';
import { POOL_PRIMARY, POOL_REPLICA } from '../../../src/limits.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { Opened } from './case.ts';
import { ORGANISATION } from './documents.ts';
import type { Pair } from './servers.ts';

/** The position in the log alone, as most libraries keep it: a replica that has come as far must have the write. */
export async function open({ primaryUrl, replicaUrl }: Pair): Promise<Opened> {
  const primary = openBenchPool(primaryUrl, POOL_PRIMARY.api);
  const replica = openBenchPool(replicaUrl, POOL_REPLICA.api);
  return {
    createSession() {
      let position = '0/0';
      return {
        async write(work) {
          const value = await primary.within({ scope: ORGANISATION }).transaction().execute(work);
          const { rows } = await sql<{ at: string }>`select pg_current_wal_insert_lsn()::text as at`.execute(
            primary.unscoped,
          );
          position = rows[0]?.at ?? position;
          return value;
        },
        async read(query) {
          const { rows } = await sql<{ replayed: boolean }>`
            select pg_last_wal_replay_lsn() >= ${position}::pg_lsn as replayed`.execute(replica.unscoped);
          return query((rows[0]?.replayed ? replica : primary).within({ scope: ORGANISATION }));
        },
      };
    },
    close: async () => void (await Promise.all([primary.close(), replica.close()])),
  };
}
