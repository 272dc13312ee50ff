import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import type { Figures } from '../faces.ts';

export type Summary = Readonly<Record<string, unknown>>;

/** All figures of one organisation, in one statement. */
export async function summary(db: Db, orgId: number, figures: Figures): Promise<Summary> {
  const columns = Object.entries(figures).map(([name, { select }]) => sql`(${select(orgId)}) as ${sql.ref(name)}`);
  if (columns.length === 0) return {};
  const { rows } = await sql<Summary>`select ${sql.join(columns)}`.execute(db);
  return rows[0] as Summary;
}
