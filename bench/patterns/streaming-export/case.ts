import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import type { CsvValue } from '../../../src/http/csv-reply.ts';
import type { ExportedAnswer } from '../../../src/modules/conversations/answer-export.ts';
import { benchOrganisation } from '../bench-organisation.ts';
import { openBenchPool } from '../bench-pool.ts';
import { MB, type PatternCase } from '../pattern.ts';

export type Range = { from: string; to: string };
type Variant = { exportAnswers(db: Db, orgId: number, range: Range, sink: Writable): Promise<void> };
type Input = { readonly conversations: number };

export const HEADER = ['at', 'campaign', 'team', 'employee', 'email', 'question', 'answer', 'sentiment'];
/** What a query without a bound asks for. */
export const ALL_ROWS = 2_000_000_000;

const GROWN_MB_MAX = 40;
const CONVERSATIONS = 200_000;
const ANSWERS_EACH = 5;

export const pattern: PatternCase<Variant, Input> = {
  slug: 'streaming-export',
  asks: `Export ${CONVERSATIONS * ANSWERS_EACH} answers as CSV.`,
  breaks: 'the process is killed, or its heap is exhausted',
  holds: `all rows arrive, and the process grows by less than ${GROWN_MB_MAX} MB`,
  needs: ['database'],
  small: { conversations: 2_000 },
  full: { conversations: CONVERSATIONS },

  async prepare({ databaseUrl }) {
    await benchOrganisation(databaseUrl, { conversations: CONVERSATIONS, answersEach: ANSWERS_EACH });
  },

  async perform(variant, input, { databaseUrl }) {
    const { unscoped: db, close } = openBenchPool(databaseUrl, 1);
    const orgId = await benchOrganisation(databaseUrl, { conversations: CONVERSATIONS, answersEach: ANSWERS_EACH });
    const range = await rangeOf(db, orgId, input.conversations);
    const hash = createHash('sha256');
    let bytes = 0;
    const before = process.memoryUsage.rss();
    let most = before;
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        most = Math.max(most, process.memoryUsage.rss());
        hash.update(chunk);
        done();
      },
    });
    await variant.exportAnswers(db, orgId, range, sink);
    await close();
    return { digest: hash.digest('hex'), figures: { bytes, grownMb: (most - before) / MB } };
  },

  isBroken: (naive) => naive.ending === 'OOM-killed' || naive.ending === 'heap exhausted',
  isHeld: (hardened) =>
    hardened.ending === 'finished' && (hardened.figures.grownMb ?? Number.POSITIVE_INFINITY) < GROWN_MB_MAX,
};

export function toCsv(rows: readonly ExportedAnswer[]): CsvValue[][] {
  return rows
    .filter((row) => row.seq !== null)
    .map((row) => [row.at, row.campaign, row.team, row.employee, row.email, row.question, row.body, row.sentiment]);
}

export async function* toCsvPages(pages: AsyncIterable<ExportedAnswer[]>): AsyncGenerator<CsvValue[][]> {
  for await (const page of pages) yield toCsv(page);
}

/** From the first conversation to the one after the last of `conversations`. */
async function rangeOf(db: Db, orgId: number, conversations: number): Promise<Range> {
  const { rows } = await sql<Range>`
    select (select min(started_at) from conversations where org_id = ${orgId})::text as "from",
      coalesce((select started_at from conversations where org_id = ${orgId} order by started_at, id offset ${conversations} limit 1), now())::text as "to"`.execute(
    db,
  );
  const { from, to } = rows[0] as Range;
  return { from: new Date(new Date(from).getTime() - 1).toISOString(), to: new Date(to).toISOString() };
}
