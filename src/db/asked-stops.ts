/**
 * Which processes were asked to stop. Their deaths are noticed by traces in Redis (src/redis/deaths.ts), which a stop
 * removes; while Redis is down it cannot, and a Redis that comes back from an older snapshot has the trace again. A file
 * would not do: the next process of a container often has another disk, and this one may not write to its own.
 */
import { sql } from 'kysely';
import type { AskedStops } from '../process/asked-stops.ts';
import type { Database } from './read-write-split.ts';
import { EVERY_ORGANISATION } from './tenant-isolation.ts';

export function createAskedStops(database: Pick<Database, 'primary'>): AskedStops {
  const db = () => database.primary(EVERY_ORGANISATION);
  return {
    async note(life) {
      await sql`insert into asked_stops (life) values (${life}) on conflict do nothing`.execute(db());
    },
    async among(lives) {
      if (lives.length === 0) return new Set();
      const { rows } = await sql<{ life: string }>`
        select life from asked_stops where life = any(${lives}::text[])`.execute(db());
      return new Set(rows.map(({ life }) => life));
    },
  };
}
