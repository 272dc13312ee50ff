import type { Pool, PoolClient } from 'pg';
import { AppError, isDataFault } from '../../../../src/errors.ts';
import { createGroupCommit } from '../../../../src/flow/group-commit.ts';
import type { Question } from '../../../../src/modules/campaigns/campaigns.ts';
import { FAREWELL } from '../../../../src/modules/conversations/answers.ts';
import { contentOf, type GivenAnswer, type StoreAnswer, type Stored } from './answers.ts';
import { inTransaction } from './database.ts';
import { type StoredMessage, toMessage } from './visits.ts';

const LIMITS = { atOnce: 5, items: 500, waiting: 2_000 } as const;

/** The step `groups`: answers that come while those of their organisation are being committed share the next commit. */
export function answersInGroups(pool: Pool): StoreAnswer {
  const group = createGroupCommit<number, Answer, Stored>({
    what: 'answers',
    limits: LIMITS,
    commit: (orgId, answers) => inTransaction(pool, (db) => storeAll(db, orgId, answers)),
    isFaultOfOne: isDataFault,
  });
  return ({ orgId, id }, given) => group.add(orgId, { ...given, ...contentOf(given), id });
}

type Answer = GivenAnswer & ReturnType<typeof contentOf> & { readonly id: number };

interface Conversation {
  readonly id: number;
  readonly campaignId: number;
  readonly teamId: number;
  readonly questions: readonly Question[];
  readonly at: Date;
  lastSeq: number;
  step: number;
  finished: boolean;
  waitingFor: number | null;
  answers: number;
  scored: number;
  score: number;
}

type NewMessage = StoredMessage & {
  readonly conversationId: number;
  readonly questionSeq: number | null;
  readonly choice: number | null;
  readonly sentiment: number | null;
};

async function storeAll(db: PoolClient, orgId: number, answers: readonly Answer[]): Promise<(Stored | AppError)[]> {
  const conversations = await lockConversations(db, orgId, answers);
  const known = await knownAnswers(db, orgId, answers);
  const added: NewMessage[] = [];
  const moved = new Set<Conversation>();
  const outcomes = answers.map((answer) => {
    const conversation = conversations.get(answer.id);
    if (conversation === undefined) return new AppError('not_found', 'This check-in no longer exists.');
    const place = `${answer.id}/${answer.nonce}`;
    const seq = known.get(place);
    if (seq !== undefined) return { seq, messages: [], finished: conversation.finished };
    if (conversation.finished) return new AppError('conflict', 'You have already finished this check-in. Thank you!');
    const messages = take(conversation, answer);
    known.set(place, messages[0].seq);
    added.push(...messages);
    moved.add(conversation);
    return { seq: messages[0].seq, messages: messages.map(toMessage), finished: conversation.finished };
  });
  if (added.length > 0) await write(db, orgId, added, [...moved]);
  return outcomes;
}

/** The answer and what the bot says to it; the conversation moves on. */
function take(conversation: Conversation, answer: Answer): [NewMessage, NewMessage] {
  const { id: conversationId, at } = conversation;
  const { nonce, questionSeq, choice, body, score } = answer;
  const next = conversation.questions[conversation.step++];
  const seq = conversation.lastSeq + 1;
  conversation.lastSeq += 2;
  conversation.answers++;
  conversation.waitingFor = next === undefined ? null : seq + 1;
  conversation.scored += score === null ? 0 : 1;
  conversation.score += score ?? 0;
  conversation.finished = next === undefined;
  const nothing = { nonce: null, asks: null, questionSeq: null, choice: null, sentiment: null };
  const shared = { ...nothing, conversationId, at };
  return [
    { ...shared, seq, sender: 'employee', nonce, body, questionSeq, choice, sentiment: score },
    { ...shared, seq: seq + 1, sender: 'bot', body: next?.text ?? FAREWELL, asks: next?.answer ?? null },
  ];
}

async function lockConversations(db: PoolClient, orgId: number, answers: readonly Answer[]) {
  const { rows } = await db.query<Omit<Conversation, 'answers' | 'scored' | 'score'>>(
    `select v.id, v.last_seq as "lastSeq", v.step, v.waiting_for as "waitingFor", v.finished_at is not null as finished,
       v.campaign_id as "campaignId", v.team_id as "teamId", c.questions, now() as at
     from conversations v join campaigns c on c.org_id = v.org_id and c.id = v.campaign_id
     where v.org_id = $1 and v.id = any($2::bigint[]) order by v.id for update of v`,
    [orgId, answers.map(({ id }) => id)],
  );
  return new Map(rows.map((row): [number, Conversation] => [row.id, { ...row, answers: 0, scored: 0, score: 0 }]));
}

/** The seqs of answers that were stored before, by `conversation/nonce`. */
async function knownAnswers(db: PoolClient, orgId: number, answers: readonly Answer[]) {
  const { rows } = await db.query<{ id: number; nonce: string; seq: number }>(
    `select given.id, given.nonce, m.seq from unnest($2::bigint[], $3::text[]) as given (id, nonce)
     cross join lateral (
       select seq from messages where org_id = $1 and conversation_id = given.id and nonce = given.nonce limit 1
     ) as m`,
    [orgId, answers.map(({ id }) => id), answers.map(({ nonce }) => nonce)],
  );
  return new Map(rows.map(({ id, nonce, seq }) => [`${id}/${nonce}`, seq]));
}

/** In the order in which every transaction takes its locks: by team, then the counters of the campaign. */
async function write(
  db: PoolClient,
  orgId: number,
  added: readonly NewMessage[],
  moved: readonly Conversation[],
): Promise<void> {
  await db.query(
    `insert into messages (org_id, conversation_id, seq, sender, nonce, body, asks, question_seq, choice, sentiment)
     select $1, given.* from unnest($2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[],
       $9::int[], $10::real[]) as given`,
    [
      orgId,
      ...columnsOf(added, ['conversationId', 'seq', 'sender', 'nonce', 'body', 'asks']),
      ...columnsOf(added, ['questionSeq', 'choice', 'sentiment']),
    ],
  );
  await db.query(
    `update conversations v set last_seq = given.last_seq, step = given.step, waiting_for = given.waiting_for,
       answers = v.answers + given.answers, scored = v.scored + given.scored, score_sum = v.score_sum + given.score,
       last_message_at = now(), finished_at = case when given.finished then now() end
     from unnest($2::bigint[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[], $8::float8[], $9::boolean[])
       as given (id, last_seq, step, waiting_for, answers, scored, score, finished)
     where v.org_id = $1 and v.id = given.id`,
    [orgId, ...columnsOf(moved, ['id', 'lastSeq', 'step', 'waitingFor', 'answers', 'scored', 'score', 'finished'])],
  );
  await db.query(
    `insert into mood_days (org_id, day, team_id, answers, scored, score_sum)
     select $1, (now() at time zone 'utc')::date, team, sum(answers), sum(scored), sum(score)
     from unnest($2::bigint[], $3::int[], $4::int[], $5::float8[]) as given (team, answers, scored, score)
     group by team order by team
     on conflict (org_id, day, team_id) do update
       set answers = mood_days.answers + excluded.answers, scored = mood_days.scored + excluded.scored,
         score_sum = mood_days.score_sum + excluded.score_sum`,
    [orgId, ...columnsOf(moved, ['teamId', 'answers', 'scored', 'score'])],
  );
  await db.query(
    `update campaign_progress p set answers = p.answers + given.answers, finished = p.finished + given.finished
     from (
       select campaign, sum(answers) as answers, count(*) filter (where finished) as finished
       from unnest($2::bigint[], $3::int[], $4::boolean[]) as given (campaign, answers, finished) group by campaign
     ) as given
     where p.org_id = $1 and p.campaign_id = given.campaign`,
    [orgId, ...columnsOf(moved, ['campaignId', 'answers', 'finished'])],
  );
}

function columnsOf<T>(rows: readonly T[], names: readonly (keyof T)[]): unknown[][] {
  return names.map((name) => rows.map((row) => row[name]));
}
