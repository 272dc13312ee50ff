import { sql } from 'kysely';
import { givenRows } from '../../../src/db/batch-write.ts';
import type { Db } from '../../../src/db/database.ts';
import { isDataFault } from '../../../src/errors.ts';
import { createGroupCommit } from '../../../src/flow/group-commit.ts';
import type { CastVote, Vote } from './case.ts';

const LIMITS = { atOnce: 3, items: 500, waiting: 2_000 } as const;

/** One transaction for all votes that came in while the one before it was being committed. */
export function createVoting(db: Db): CastVote {
  const group = createGroupCommit<number, Vote, void>({
    what: 'votes',
    limits: LIMITS,
    commit: (room, votes) =>
      db.transaction().execute(async (transaction) => {
        await sql`
          insert into votes (room, voter, choice)
          select ${room}::integer, voter, choice
          from ${givenRows(votes, { voter: 'integer', choice: 'text' })}`.execute(transaction);
        await sql`update rooms set votes = votes + ${votes.length} where id = ${room}`.execute(transaction);
        return votes.map(() => undefined);
      }),
    isFaultOfOne: isDataFault,
  });
  return group.add;
}
