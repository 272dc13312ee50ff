import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import type { Question } from '../campaigns/campaigns.ts';
import { FAREWELL } from './answers.ts';
import { TEXTS_PER_TONE } from './seed-answer-texts.ts';

/** A campaign that was sent. */
export interface Launch {
  readonly campaignId: number;
  readonly orgId: number;
  readonly questions: readonly Question[];
  /** 0 is the organisation's oldest. */
  readonly week: number;
  /** The week as a share of all: 0 to 1. */
  readonly progress: number;
  readonly at: Date;
}

/**
 * Writes what people said to one campaign, as the product stores it: the bot greets with the first question (seq 1), each
 * answer (seq 2, 4, 6) is followed in the same moment by the next question or the farewell. Some leave on the way.
 * One statement, so that the conversations need not be read back for their messages.
 *
 * The mood behind the tone of an answer: of the team, how the team's mood moves over the weeks, a bad week of the whole
 * organisation and one of the team, the person, and the moment.
 */
export async function writeConversations(
  db: Db,
  { orgId, campaignId, questions, week, progress, at }: Launch,
  firstId: number,
  now: Date,
): Promise<{ conversations: number; messages: number }> {
  const asked = questions.map(({ text }) => text);
  const { rows } = await sql<{ conversations: string; messages: string }>`
    with opened as materialized (
      select ${firstId}::bigint - 1 + row_number() over (order by started_at, reach_out_id) as id, opened.*
      from (
        select r.id as reach_out_id, e.id as employee_id, e.team_id, split_part(e.name, ' ', 1) as first_name,
          ${startedAt(at)} as started_at, ${answersGiven(questions.length)} as answers, ${moodOf(orgId, week, progress)} as mood
        from reach_outs r
        join employees e on e.org_id = r.org_id and e.id = r.employee_id
        where r.org_id = ${orgId} and r.campaign_id = ${campaignId} and r.status = 'sent'
          and pg_temp.chance(r.id, 'opens') < 0.29 + 0.2 * pg_temp.chance(e.team_id, 'opens')
      ) as opened
      -- Those who would open it later than now have not done so yet.
      where started_at < ${now}::timestamptz - interval '10 minutes'
    ), answered as materialized (
      select conversation_id, n, at, texts.body, texts.sentiment
      from (
        select id as conversation_id, n,
          date_trunc('milliseconds', started_at + n * interval '1 minute' - interval '35 seconds' * pg_temp.chance(id * 16 + n, 'thinks')) as at,
          mood + 1.2 * (pg_temp.chance(id * 16 + n, 'moment') - 0.5) as mood,
          floor(${TEXTS_PER_TONE}::int * pg_temp.chance(id * 16 + n, 'text'))::int as nth
        from opened cross join lateral generate_series(1, answers) as n
      ) as answer
      join answer_texts as texts on texts.question = n and texts.nth = answer.nth
        and texts.tone = case when mood > 0.15 then 'positive' when mood < -0.15 then 'negative' else 'neutral' end
    ), begun as (
      insert into conversations (org_id, id, campaign_id, employee_id, team_id, reach_out_id, last_seq, step,
        waiting_for, answers, scored, score_sum, started_at, last_message_at, finished_at) overriding system value
      select ${orgId}, id, ${campaignId}, employee_id, team_id, reach_out_id, 2 * answers + 1, answers + 1,
        case when answers < ${questions.length}::int then 2 * answers + 1 end, answers, coalesce(scored, 0),
        coalesce(score_sum, 0), started_at, coalesce(last_at, started_at), case when answers = ${questions.length}::int then last_at end
      from opened
      left join (
        select conversation_id, count(sentiment) as scored, sum(sentiment::double precision) as score_sum, max(at) as last_at
        from answered group by conversation_id
      ) as scores on conversation_id = id
      order by id
      returning 1
    ), said as (
      insert into messages (org_id, conversation_id, seq, sender, nonce, body, asks, question_seq, sentiment, created_at)
      select ${orgId}, * from (
        select id as conversation_id, 1 as seq, 'bot', null, 'Hi ' || first_name || '! ' || ${asked[0]}::text, 'text', null::int, null::real,
          started_at
        from opened
        union all
        select conversation_id, 2 * n, 'employee', to_hex(hashint8extended(conversation_id, n)), body, null, 2 * n - 1, sentiment, at
        from answered
        union all
        select conversation_id, 2 * n + 1, 'bot', null, coalesce((${asked}::text[])[n + 1], ${FAREWELL}::text),
          case when n < ${questions.length}::int then 'text' end, null, null, at
        from answered
      ) as messages
      order by conversation_id, seq
      returning 1
    )
    select (select count(*) from begun) as conversations, (select count(*) from said) as messages`.execute(db);
  return { conversations: Number(rows[0]?.conversations), messages: Number(rows[0]?.messages) };
}

/** Half of them within a day, the others over the week after the mail. */
const startedAt = (at: Date) => sql`date_trunc('milliseconds', ${at}::timestamptz + interval '5 minutes'
  + power(pg_temp.chance(r.id, 'when'), 3) * interval '165 hours')`;

const answersGiven = (questions: number) => sql`case when pg_temp.chance(r.id, 'stays') < 0.82 then ${questions}::int
  else floor(${questions}::int * pg_temp.chance(r.id, 'leaves'))::int end`;

/** From about -1.5 to 1.5. Bad weeks end, so that the line comes back up. */
const moodOf = (orgId: number, week: number, progress: number) => sql`
  1.1 * (pg_temp.chance(e.team_id, 'mood') - 0.27)
  + 0.8 * (pg_temp.chance(e.team_id, 'trend') - 0.45) * ${progress}::double precision
  - case ${week}::int - floor(2 + 7 * pg_temp.chance(${orgId}, 'bad week')) when 0 then 0.6 when 1 then 0.3 else 0 end
  - case ${week}::int - floor(1 + 11 * pg_temp.chance(e.team_id, 'bad week')) when 0 then 0.5 when 1 then 0.2 else 0 end
  + 0.7 * (pg_temp.chance(e.id, 'mood') - 0.5)`;
