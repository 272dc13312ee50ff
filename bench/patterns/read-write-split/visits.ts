import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import type { DatabaseSession } from '../../../src/db/read-write-split.ts';
import { createHistogram, percentileMs, recordMs } from '../../load/latency.ts';

export type Session = Pick<DatabaseSession, 'read' | 'write'>;
export type Opened = { createSession(orgId: number): Session; close(): Promise<void> };
type Person = { readonly id: number; readonly writes: string };
type Counts = {
  writes: number;
  ownReads: number;
  staleOwnReads: number;
  failed: number;
  replica: number;
  primary: number;
};

const ARRIVE_EVERY_MS = 6;
/** With each own read, so many people read who wrote nothing. */
const STRANGERS = 4;

/** They arrive at a fixed pace, however slow the answers are: each changes their name, looks, goes, and comes back. */
export async function runPhase(
  opened: Opened,
  orgId: number,
  ids: readonly number[],
  { name, comesBackMs }: { name: string; comesBackMs: number },
) {
  const counts: Counts = { writes: 0, ownReads: 0, staleOwnReads: 0, failed: 0, replica: 0, primary: 0 };
  const latency = createHistogram();
  const seen: string[] = [];

  /** The name, or nothing where the request failed; only those that were answered are in the latency. */
  async function read(session: Session, id: number): Promise<string | undefined> {
    const begun = performance.now();
    try {
      const answer = await session.read((db) => nameOf(db, orgId, id));
      recordMs(latency, performance.now() - begun);
      counts[answer.server]++;
      return answer.name;
    } catch {
      counts.failed++;
    }
  }

  async function readBack(session: Session, person: Person): Promise<void> {
    const own = read(session, person.id);
    const strangers = Array.from({ length: STRANGERS }, () => read(opened.createSession(orgId), person.id));
    const [seenName] = await Promise.all([own, ...strangers]);
    counts.ownReads++;
    if (seenName !== undefined && seenName !== person.writes) counts.staleOwnReads++;
    seen.push(`${person.writes} ${seenName}`);
  }

  async function visit(person: Person): Promise<void> {
    const session = opened.createSession(orgId);
    try {
      await session.write((transaction) => rename(transaction, orgId, person));
      counts.writes++;
    } catch {
      counts.failed++;
      return;
    }
    await readBack(session, person);
    if (comesBackMs === 0) return;
    await sleep(comesBackMs);
    await readBack(session, person);
  }

  const begun = performance.now();
  await Promise.all(
    ids.map(async (id, number) => {
      await sleep(Math.max(0, begun + number * ARRIVE_EVERY_MS - performance.now()));
      await visit({ id, writes: `${name} ${number}` });
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

async function rename(db: Db, orgId: number, { id, writes }: Person): Promise<void> {
  await db.updateTable('employees').set({ name: writes }).where('org_id', '=', orgId).where('id', '=', id).execute();
}

/** And which server said so: that is asked of nobody but the server itself. */
export async function nameOf(db: Db, orgId: number, id: number) {
  return db
    .selectFrom('employees')
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .select([
      'name',
      sql<'replica' | 'primary'>`case when pg_is_in_recovery() then 'replica' else 'primary' end`.as('server'),
    ])
    .executeTakeFirstOrThrow();
}
