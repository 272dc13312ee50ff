import { sql } from 'kysely';
import { openBenchPool } from '../bench-pool.ts';
import type { Servers } from '../pattern.ts';
import type { Document, Documents } from './case.ts';

/** Signs in as the owner of the tables: whose rows a statement sees depends on its WHERE, and this one lacks `org_id = …`. */
export function openDocuments({ databaseUrl }: Servers): Documents {
  const { unscoped, close } = openBenchPool(databaseUrl, 1);
  return {
    async titled(_orgId, title) {
      const found = sql<Document>`select org_id, title, body from documents where title = ${title} order by id`;
      return (await found.execute(unscoped)).rows;
    },
    close,
  };
}
