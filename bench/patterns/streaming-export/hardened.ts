import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import type { Place } from '../../../src/db/keyset-pagination.ts';
import { eachPage } from '../../../src/db/streaming-export.ts';
import { type CsvValue, csvLines } from '../../../src/http/csv-reply.ts';
import { COLUMNS, type EventRow, valuesOf } from './case.ts';

const PAGE_ROWS = 200;

/** Reads a page, sends it, and reads the next one when the client has taken it. */
export async function exportEvents(db: Db, sink: Writable): Promise<void> {
  const page = async ([afterId = 0]: Place = []) => {
    const { rows } = await sql<EventRow>`
      select id, at, kind, detail from events where id > ${afterId} order by id limit ${PAGE_ROWS}`.execute(db);
    return rows;
  };
  const pages = eachPage(page, ({ id }) => [id], PAGE_ROWS);
  await pipeline(Readable.from(csvLines(COLUMNS, valuesOfPages(pages))), sink);
}

async function* valuesOfPages(pages: AsyncIterable<EventRow[]>): AsyncGenerator<CsvValue[][]> {
  for await (const rows of pages) yield rows.map(valuesOf);
}
