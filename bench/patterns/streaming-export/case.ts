import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import type { Db } from '../../../src/db/database.ts';
import type { CsvValue } from '../../../src/http/csv-reply.ts';
import { openBenchPool } from '../bench-pool.ts';
import { MB, type PatternCase } from '../pattern.ts';
import { runSql } from '../scratch-database.ts';

export type EventRow = { readonly id: number; readonly at: string; readonly kind: string; readonly detail: string };
type Twin = { exportEvents(db: Db, sink: Writable): Promise<void> };
type Input = { readonly events: number };

/** As csvLines begins a file, so that spreadsheets read UTF-8. */
export const BYTE_ORDER_MARK = '\uFEFF';
export const COLUMNS = ['id', 'at', 'kind', 'detail'];

const EVENTS = 1_000_000;
const GROWN_MB_MAX = 40;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/db/streaming-export.ts',
  withoutIt: 'one large export kills the process',
  asks: `Export ${EVENTS} events as CSV.`,
  breaks: 'the process is killed, or its heap is exhausted',
  holds: `all rows arrive, and the process grows by less than ${GROWN_MB_MAX} MB`,
  headline: ({ grownMb = 0 }) => `grows by ${Math.round(grownMb)} megabytes`,
  small: { events: 20_000 },
  full: { events: EVENTS },

  arrange: ({ databaseUrl }, { events }) =>
    runSql(
      databaseUrl,
      `insert into events (at, kind, detail)
       select '2026-01-01'::timestamptz + n * interval '1 minute', case when n % 2 = 0 then 'opened' else 'closed' end,
         'Event number ' || n || ', with a few words of detail, a comma and a "quote" or two.'
       from generate_series(1, ${events}) n; analyze events`,
    ),

  async perform({ exportEvents }, _input, { databaseUrl }) {
    const { unscoped: db, close } = openBenchPool(databaseUrl, 1);
    const hash = createHash('sha256');
    const before = process.memoryUsage.rss();
    let [bytes, most] = [0, before];
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        most = Math.max(most, process.memoryUsage.rss());
        hash.update(chunk);
        done();
      },
    });
    await exportEvents(db, sink);
    await close();
    return { digest: hash.digest('hex'), figures: { bytes, grownMb: (most - before) / MB } };
  },

  isBroken: (naive) => naive.ending === 'OOM-killed' || naive.ending === 'heap exhausted',
  isHeld: ({ ending, figures }) =>
    ending === 'finished' &&
    (figures.bytes ?? 0) > EVENTS * 100 &&
    (figures.grownMb ?? Number.POSITIVE_INFINITY) < GROWN_MB_MAX,
};

export function valuesOf({ id, at, kind, detail }: EventRow): CsvValue[] {
  return [id, at, kind, detail];
}
