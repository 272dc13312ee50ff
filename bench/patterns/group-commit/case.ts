import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '../../../src/db/schema.ts';
import { POOL_PRIMARY } from '../../../src/limits.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';
import { runSql } from '../scratch-database.ts';

export type Vote = { readonly voter: number; readonly choice: string };
/** Resolves once the vote is committed. */
export type CastVote = (room: number, vote: Vote) => Promise<void>;
type Twin = { createVoting(db: Db): CastVote };
type Input = { readonly votes: number; readonly atOnce: number };

const VOTES = 6_000;
const AT_ONCE = 200;
const ROOM = 1;
const CHOICES = ['yes', 'no', 'abstain'];
const SLOWER_FACTOR = 3;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/flow/group-commit.ts',
  withoutIt: "every write waits for the previous write's commit",
  asks: `${VOTES} votes are cast in one room, ${AT_ONCE} at once; the room counts them.`,
  breaks: `it takes more than ${SLOWER_FACTOR} times as long, because all wait for the lock on the room`,
  holds: 'every vote is stored, and counted once',
  headline: ({ perSecond = 0 }) => `${Math.round(perSecond).toLocaleString('en')} votes per second`,
  // Few at once: each waits for a connection no longer than the pool lets it, whatever else the machine does.
  small: { votes: 300, atOnce: 20 },
  full: { votes: VOTES, atOnce: AT_ONCE },

  arrange: ({ databaseUrl }) => runSql(databaseUrl, `insert into rooms (id) values (${ROOM})`),

  async perform({ createVoting }, { votes, atOnce }, { databaseUrl }) {
    const { unscoped: db, close } = openBenchPool(databaseUrl, POOL_PRIMARY.api);
    const castVote = createVoting(db);
    const begun = performance.now();
    await castAll(castVote, votes, atOnce);
    const voteSeconds = (performance.now() - begun) / 1000;
    const { rows } = await sql<Vote>`select voter, choice from votes where room = ${ROOM} order by voter`.execute(db);
    const { rows: rooms } = await sql<{ votes: number }>`select votes from rooms where id = ${ROOM}`.execute(db);
    await close();
    const digest = createHash('sha256').update(JSON.stringify(rows)).digest('hex');
    const counted = rooms[0]?.votes ?? 0;
    return { digest, figures: { stored: rows.length, counted, voteSeconds, perSecond: votes / voteSeconds } };
  },

  isBroken: (naive, hardened) =>
    naive.ending === 'too slow' ||
    (naive.figures.voteSeconds ?? 0) > SLOWER_FACTOR * (hardened.figures.voteSeconds ?? Number.POSITIVE_INFINITY),
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.stored === VOTES && figures.counted === VOTES,
};

/** Each of `atOnce` clients casts the next vote as soon as its last one is acknowledged. */
async function castAll(castVote: CastVote, votes: number, atOnce: number): Promise<void> {
  let next = 0;
  const client = async () => {
    for (let voter = next++; voter < votes; voter = next++)
      await castVote(ROOM, { voter, choice: CHOICES[voter % CHOICES.length] as string });
  };
  await Promise.all(Array.from({ length: atOnce }, client));
}
