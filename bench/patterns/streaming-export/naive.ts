import type { Writable } from 'node:stream';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import { csvLine } from '../../../src/http/csv-reply.ts';
import { BYTE_ORDER_MARK, COLUMNS, type EventRow, valuesOf } from './case.ts';

/** Reads every row, joins them into one text, and sends the text. */
export async function exportEvents(db: Db, sink: Writable): Promise<void> {
  const { rows } = await sql<EventRow>`select id, at, kind, detail from events order by id`.execute(db);
  const text = [COLUMNS, ...rows.map(valuesOf)].map(csvLine).join('');
  await new Promise<void>((resolve) => sink.end(BYTE_ORDER_MARK + text, resolve));
}
