import { sql } from 'kysely';
import { openBenchPool } from '../bench-pool.ts';
import type { Servers } from '../pattern.ts';
import type { Document, Documents } from './case.ts';

/** Each statement travels with its organisation: the same WHERE lacks the same condition, and PostgreSQL adds it. */
export function openDocuments({ workerDatabaseUrl }: Servers): Documents {
  const { within, close } = openBenchPool(workerDatabaseUrl, 1);
  return {
    async titled(orgId, title) {
      const found = sql<Document>`select org_id, title, body from documents where title = ${title} order by id`;
      return (await found.execute(within({ scope: orgId }))).rows;
    },
    close,
  };
}
