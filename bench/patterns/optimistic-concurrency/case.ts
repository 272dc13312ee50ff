import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/schema.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';
import { runSql } from '../scratch-database.ts';

export interface Document {
  readonly lines: number[];
  readonly version: number;
}

/** Saves what an editor has made of the document that it read. False: it must read again. */
type Twin = { save(db: Db, seen: Document, lines: number[]): Promise<boolean> };
type Input = { readonly editors: number; readonly edits: number };

const EDITORS = 4;
const EDITS = 500;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/http/optimistic-concurrency.ts',
  withoutIt: 'two people edit the same thing, and the one who saves last silently undoes the other’s work',
  asks: `${EDITORS} editors each add ${EDITS} lines to one document: each time they read it, add a line, and save it.`,
  breaks: 'lines that were saved are gone',
  holds: 'every line that was saved is there',
  headline: ({ lost = 0 }) => `${lost.toLocaleString('en')} of ${(EDITORS * EDITS).toLocaleString('en')} lines lost`,
  small: { editors: 1, edits: 50 },
  full: { editors: EDITORS, edits: EDITS },

  async arrange({ databaseUrl }) {
    await runSql(databaseUrl, `insert into documents (id, lines) values (1, '{}')`);
  },

  async perform({ save }, { editors, edits }, { databaseUrl }) {
    const { unscoped: db, close } = openBenchPool(databaseUrl, editors);
    let again = 0;
    async function edit(line: number): Promise<void> {
      for (;;) {
        const seen = await read(db);
        if (await save(db, seen, [...seen.lines, line])) return;
        again++;
      }
    }
    await Promise.all(
      Array.from({ length: editors }, async (_, editor) => {
        for (let n = 0; n < edits; n++) await edit(editor * edits + n);
      }),
    );
    const { lines } = await read(db);
    await close();
    const kept = lines.toSorted((a, b) => a - b);
    const digest = createHash('sha256').update(kept.join()).digest('hex');
    return { digest, figures: { lost: editors * edits - new Set(kept).size, again } };
  },

  isBroken: ({ figures }) => (figures.lost ?? 0) > 0,
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.lost === 0 && (figures.again ?? 0) > 0,
};

async function read(db: Db): Promise<Document> {
  const { rows } = await sql<Document>`select lines, version from documents where id = 1`.execute(db);
  return rows[0] as Document;
}
