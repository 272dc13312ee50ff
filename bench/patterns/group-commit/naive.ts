import { sql } from 'kysely';
import type { Db } from '../../../src/db/database.ts';
import type { CastVote } from './case.ts';

/** A transaction for each vote: all of them lock the room's row, so each waits for the commit of the one before it. */
export function createVoting(db: Db): CastVote {
  return (room, { voter, choice }) =>
    db.transaction().execute(async (transaction) => {
      await sql`insert into votes (room, voter, choice) values (${room}, ${voter}, ${choice})`.execute(transaction);
      await sql`update rooms set votes = votes + 1 where id = ${room}`.execute(transaction);
    });
}
