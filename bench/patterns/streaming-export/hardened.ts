import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Db } from '../../../src/db/database.ts';
import { eachRow } from '../../../src/db/streaming-export.ts';
import { csvLines } from '../../../src/http/csv-reply.ts';
import { EXPORT_PAGE_ROWS } from '../../../src/limits.ts';
import { exportPage } from '../../../src/modules/conversations/answer-export.ts';
import { HEADER, type Range, toCsvPages } from './case.ts';

/** Reads a page, sends a page, and reads the next when the client has taken it. */
export async function exportAnswers(db: Db, orgId: number, range: Range, sink: Writable): Promise<void> {
  const pages = eachRow(
    (after) => exportPage(db, orgId, range, after, EXPORT_PAGE_ROWS),
    (row) => [row.started_at, row.id],
    EXPORT_PAGE_ROWS,
  );
  await pipeline(Readable.from(csvLines(HEADER, toCsvPages(pages))), sink);
}
