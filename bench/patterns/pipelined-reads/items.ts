import { sql } from 'kysely';
import type { PooledDatabase } from '../../../src/db/pool.ts';
import { EVERY_ORGANISATION } from '../../../src/db/tenant-isolation.ts';

export interface Items {
  nameOf(id: number): Promise<string | undefined>;
  close(): Promise<void>;
}

export function itemsOf({ within, close }: PooledDatabase): Items {
  const db = within({ scope: EVERY_ORGANISATION });
  return {
    async nameOf(id) {
      const { rows } = await sql<{ name: string }>`select name from items where id = ${id}`.execute(db);
      return rows[0]?.name;
    },
    close,
  };
}
