/**
 * What it is: the scores of answers, given after the answers are stored and acknowledged.
 * What fails without it: a person waits for the scorer, and one long answer delays everybody in the chat.
 * How it works: an answer is stored with `unscored`, which puts it into a partial index. This reads a batch of one
 *   organisation, scores it outside of any transaction, then records the scores and counts them for the conversation
 *   and the day in one transaction. Only answers that are still unscored are counted: none is counted twice, however
 *   many processes do this at once, and what a killed process had not recorded is read again.
 *   A tap on the scale takes the same way, but its score is exact and needs no scorer.
 * What it costs: a second version of each answer's row; scores follow after SCORING_EVERY_MS.
 * Its bound: SCORES_PER_COMMIT_MAX answers at a time, SCORING_SLICE_MS of the event loop at a time.
 * Its proof: test/modules/conversations/scoring.test.ts.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import { givenByKey } from '../../db/batch-write.ts';
import type { Database } from '../../db/read-write-split.ts';
import type { Db } from '../../db/schema.ts';
import { EVERY_ORGANISATION } from '../../db/tenant-isolation.ts';
import type { Log } from '../../log.ts';
import { addToMood, type TeamDay } from '../mood/mood.ts';
import { moodOfChoice } from './answer-content.ts';
import { SCORES_PER_COMMIT_MAX, SCORING_SLICE_MS } from './limits.ts';
import { scoreText } from './sentiment.ts';

/**
 * Scores all answers that wait for it; organisations take turns, a batch each. What fails in one organisation is
 * logged, and does not hold up the others. Returns how many were scored.
 */
export async function scoreAnswers(database: Database, log: Log, signal: AbortSignal): Promise<number> {
  let scored = 0;
  let inThisRound = 0;
  let orgId = 0;
  while (!signal.aborted) {
    const next = await nextUnscored(database.primary(EVERY_ORGANISATION), orgId);
    if (next !== undefined) {
      const batch = await scoreBatch(database, log, next).catch((error) => {
        log.error({ err: error, orgId: next }, 'answers could not be scored; they will be tried again');
        return 0;
      });
      orgId = next;
      scored += batch;
      inThisRound += batch;
    } else if (inThisRound > 0) {
      orgId = 0;
      inThisRound = 0;
    } else break;
  }
  return scored;
}

/** The next organisation with answers to score. */
async function nextUnscored(db: Db, afterOrgId: number): Promise<number | undefined> {
  const { rows } = await sql<{ org_id: number }>`
    select org_id from messages where unscored and org_id > ${afterOrgId} order by org_id limit 1`.execute(db);
  return rows[0]?.org_id;
}

async function scoreBatch(database: Database, log: Log, orgId: number): Promise<number> {
  const answers = await unscoredAnswers(database.primary(orgId), orgId);
  const scores: Score[] = [];
  let sliceEnd = performance.now() + SCORING_SLICE_MS;
  for (const answer of answers) {
    const { conversation_id, seq } = answer;
    scores.push({ conversation_id, seq, sentiment: scoreOf(answer, log) });
    if (performance.now() < sliceEnd) continue;
    await nextTurn();
    sliceEnd = performance.now() + SCORING_SLICE_MS;
  }
  return database.transact(orgId, (transaction) => recordScores(transaction, orgId, scores));
}

/** An answer that the scorer fails on has no score: it would otherwise come back with every batch. */
function scoreOf({ conversation_id, seq, body, choice }: UnscoredAnswer, log: Log): number | null {
  if (choice !== null) return moodOfChoice(choice);
  try {
    return scoreText(body);
  } catch (error) {
    log.error({ err: error, conversation: conversation_id, seq }, 'an answer could not be scored');
    return null;
  }
}

interface UnscoredAnswer {
  readonly conversation_id: number;
  readonly seq: number;
  readonly body: string;
  readonly choice: number | null;
}

async function unscoredAnswers(db: Db, orgId: number): Promise<UnscoredAnswer[]> {
  const { rows } = await sql<UnscoredAnswer>`
    select conversation_id, seq, body, choice from messages
    where org_id = ${orgId} and unscored order by conversation_id, seq limit ${SCORES_PER_COMMIT_MAX}`.execute(db);
  return rows;
}

interface Score {
  readonly conversation_id: number;
  readonly seq: number;
  readonly sentiment: number | null;
}

/** Locks in the same order as the transactions that store answers: conversations by id, then what is counted of them. */
async function recordScores(transaction: Db, orgId: number, scores: readonly Score[]): Promise<number> {
  const teamOf = await lockConversations(transaction, orgId, scores);
  const ours = await markScored(transaction, orgId, scores);
  const sums = new Map<number, { readonly id: number; readonly scored: number; readonly score: number }>();
  const days = new Map<string, TeamDay>();
  for (const { conversation_id: id, day, sentiment } of ours) {
    const team_id = teamOf.get(id) as number;
    const counts = { scored: sentiment === null ? 0 : 1, score: sentiment ?? 0 };
    const sum = sums.get(id) ?? { id, scored: 0, score: 0 };
    sums.set(id, { id, scored: sum.scored + counts.scored, score: sum.score + counts.score });
    const key = `${team_id} ${day}`;
    const of = days.get(key) ?? { team_id, day, answers: 0, scored: 0, score: 0 };
    days.set(key, {
      ...of,
      answers: of.answers + 1,
      scored: of.scored + counts.scored,
      score: of.score + counts.score,
    });
  }
  if (ours.length > 0) {
    await addScores(transaction, orgId, [...sums.values()]);
    await addToMood(transaction, orgId, [...days.values()]);
  }
  return ours.length;
}

/** Returns the team of each. */
async function lockConversations(db: Db, orgId: number, scores: readonly Score[]): Promise<Map<number, number>> {
  const ids = [...new Set(scores.map(({ conversation_id }) => conversation_id))];
  const { rows } = await sql<{ id: number; team_id: number }>`
    select id, team_id from conversations where org_id = ${orgId} and id = any(${ids}::bigint[]) order by id for update`.execute(
    db,
  );
  return new Map(rows.map(({ id, team_id }) => [id, team_id]));
}

/** Those that were still unscored: another process may have been faster. */
async function markScored(db: Db, orgId: number, scores: readonly Score[]) {
  const ids = [...new Set(scores.map(({ conversation_id }) => conversation_id))];
  const byPlace = JSON.stringify(
    Object.fromEntries(scores.map(({ conversation_id, seq, sentiment }) => [`${conversation_id}/${seq}`, sentiment])),
  );
  const { rows } = await sql<{ conversation_id: number; day: string; sentiment: number | null }>`
    update messages set unscored = false, sentiment = (${byPlace}::jsonb ->> (conversation_id || '/' || seq))::real
    where org_id = ${orgId} and conversation_id = any(${ids}::bigint[]) and unscored
      and ${byPlace}::jsonb ? (conversation_id || '/' || seq)
    returning conversation_id, (created_at at time zone 'utc')::date::text as day, sentiment`.execute(db);
  return rows;
}

async function addScores(
  db: Db,
  orgId: number,
  sums: readonly { readonly id: number; readonly scored: number; readonly score: number }[],
): Promise<void> {
  const changes = givenByKey(sums, { id: 'bigint', scored: 'integer', score: 'double precision' });
  await sql`
    update conversations as v
    set (scored, score_sum) = (select v.scored + given.scored, v.score_sum + given.score from ${changes.of(sql`v.id`)})
    where v.org_id = ${orgId} and v.id = any(${changes.keys})`.execute(db);
}
