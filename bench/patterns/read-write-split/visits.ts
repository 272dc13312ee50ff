import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import type { DatabaseSession } from '../../../src/db/read-write-split.ts';
import { createHistogram, percentileMs, recordMs } from '../../load/latency.ts';

export type Session = Pick<DatabaseSession, 'read' | 'write'>;
export type Opened = { createSession(scope: number): Session; close(): Promise<void> };
type Counts = {
  writes: number;
  ownReads: number;
  staleOwnReads: number;
  failed: number;
  replica: number;
  primary: number;
};
type Phase = {
  readonly name: string;
  readonly firstId: number;
  readonly writers: number;
  readonly comesBackMs: number;
};

/** One is enough: keeping several of them separate is another lesson. */
export const ORGANISATION = 1;

const ARRIVE_EVERY_MS = 6;
/** With each own read, as many reads by sessions that wrote nothing. */
const STRANGERS = 4;

/** Writers arrive at a fixed pace, however slow the answers are: each changes a title, reads it, leaves, and comes back. */
export async function runPhase(opened: Opened, { name, firstId, writers, comesBackMs }: Phase) {
  const counts: Counts = { writes: 0, ownReads: 0, staleOwnReads: 0, failed: 0, replica: 0, primary: 0 };
  const latency = createHistogram();
  const seen: string[] = [];

  /** The title, or undefined where the request failed; only answered requests are in the latency. */
  async function read(session: Session, id: number): Promise<string | undefined> {
    const begun = performance.now();
    try {
      const { title, server } = await session.read((db) => titleOf(db, id));
      recordMs(latency, performance.now() - begun);
      counts[server]++;
      return title;
    } catch {
      counts.failed++;
    }
  }

  async function readBack(session: Session, id: number, written: string): Promise<void> {
    const own = read(session, id);
    const strangers = Array.from({ length: STRANGERS }, () => read(opened.createSession(ORGANISATION), id));
    const [title] = await Promise.all([own, ...strangers]);
    counts.ownReads++;
    if (title !== undefined && title !== written) counts.staleOwnReads++;
    seen.push(`${written} ${title}`);
  }

  async function visit(id: number, title: string): Promise<void> {
    const session = opened.createSession(ORGANISATION);
    try {
      await session.write((transaction) => changeTitle(transaction, id, title));
      counts.writes++;
    } catch {
      counts.failed++;
      return;
    }
    await readBack(session, id, title);
    if (comesBackMs === 0) return;
    await sleep(comesBackMs);
    await readBack(session, id, title);
  }

  const begun = performance.now();
  await Promise.all(
    Array.from({ length: writers }, async (_, number) => {
      await sleep(Math.max(0, begun + number * ARRIVE_EVERY_MS - performance.now()));
      await visit(firstId + number, `${name} ${number}`);
    }),
  );
  return {
    counts,
    digest: createHash('sha256').update(seen.toSorted().join()).digest('hex'),
    figures: figuresOf(name, counts, percentileMs(latency, 99)),
  };
}

function figuresOf(phase: string, { replica, primary, ...counts }: Counts, p99Ms: number): Record<string, number> {
  const reads = counts.ownReads * (1 + STRANGERS);
  const figures = { ...counts, replicaShare: (replica / reads) * 100, primaryShare: (primary / reads) * 100, p99Ms };
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [`${phase}${name.charAt(0).toUpperCase()}${name.slice(1)}`, value]),
  );
}

async function changeTitle(db: Db, id: number, title: string): Promise<void> {
  await sql`update documents set title = ${title} where id = ${id}`.execute(db);
}

/** And which server answered: only the server itself can tell. */
export async function titleOf(db: Db, id: number): Promise<{ title: string; server: 'replica' | 'primary' }> {
  const { rows } = await sql<{ title: string; server: 'replica' | 'primary' }>`
    select title, case when pg_is_in_recovery() then 'replica' else 'primary' end as server
    from documents where id = ${id}`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error(`There is no document ${id}`);
  return row;
}
