import { createHash } from 'node:crypto';
import type { Db } from '../../../src/db/schema.ts';
import type { PatternCase } from '../pattern.ts';
import { readTitle, writeTitle } from './documents.ts';
import { type Pair, startServers } from './servers.ts';

export type Session = {
  read<T>(query: (db: Db) => Promise<T>): Promise<T>;
  write<T>(work: (db: Db) => Promise<T>): Promise<T>;
};
export type Opened = { createSession(): Session; close(): Promise<void> };
type Twin = { open(servers: Pair): Promise<Opened> };
type Input = { readonly writers: number; readonly failover: boolean };

const WRITERS = 200;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/db/failover-position.ts',
  withoutIt: 'after a failover reads miss the writes of the new primary, on a replica that has not followed it',
  asks: `${WRITERS} writers change a title and read it back, after another server was promoted; the replica still follows the old primary, which has written more.`,
  breaks: 'writers do not see what they wrote',
  holds: 'all writers see what they wrote',
  headline: ({ staleOwnReads = 0 }) => `${staleOwnReads} of ${WRITERS} own reads stale`,
  small: { writers: 20, failover: false },
  full: { writers: WRITERS, failover: true },

  async perform({ open }, { writers, failover }) {
    const servers = await startServers(writers, failover);
    const opened = await open(servers);
    const seen: string[] = [];
    let staleOwnReads = 0;
    try {
      for (let id = 1; id <= writers; id++) {
        const session = opened.createSession();
        await session.write((db) => writeTitle(db, id, `Title ${id}`));
        const title = await session.read((db) => readTitle(db, id));
        if (title !== `Title ${id}`) staleOwnReads++;
        seen.push(title);
      }
      return { digest: createHash('sha256').update(seen.join()).digest('hex'), figures: { staleOwnReads } };
    } finally {
      await opened.close();
      await servers.stop();
    }
  },

  isBroken: ({ figures }) => (figures.staleOwnReads ?? 0) > 0,
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.staleOwnReads === 0,
};
