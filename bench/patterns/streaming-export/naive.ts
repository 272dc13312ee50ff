import type { Writable } from 'node:stream';
import type { Db } from '../../../src/db/database.ts';
import { csvLine } from '../../../src/http/csv-reply.ts';
import { exportPage } from '../../../src/modules/conversations/answer-export.ts';
import { ALL_ROWS, HEADER, type Range, toCsv } from './case.ts';

/** Reads everything, turns everything into one text, sends the text. */
export async function exportAnswers(db: Db, orgId: number, range: Range, sink: Writable): Promise<void> {
  const rows = await exportPage(db, orgId, range, undefined, ALL_ROWS);
  const text = `\uFEFF${[HEADER, ...toCsv(rows)].map(csvLine).join('')}`;
  await new Promise<void>((resolve) => sink.end(text, resolve));
}
