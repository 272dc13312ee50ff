import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';

export interface ExportedAnswer {
  readonly at: string;
  readonly conversation_id: number;
  readonly seq: number;
  readonly campaign: string;
  readonly team: string;
  readonly employee: string;
  readonly email: string;
  readonly question: string | null;
  readonly body: string;
  /** Null: not scored yet, or in a language that is not scored. */
  readonly sentiment: number | null;
}

/** After which answer a page begins. */
export type AnswerPlace = readonly [at: string, conversationId: number, seq: number];

/** Up to `answers` of those that were given in [from, to), in the order (at, conversation, seq). */
export async function exportPage(
  db: Db,
  orgId: number,
  range: { from: string; to: string },
  after: AnswerPlace | undefined,
  answers: number,
) {
  // No conversation has the id 0, so nothing of `from` itself is left out.
  const [at, conversationId, seq] = after ?? [range.from, 0, 0];
  const rows = await sql<ExportedAnswer>`
    with page as (
      select created_at, conversation_id, seq, question_seq, body, sentiment from messages
      where org_id = ${orgId} and sender = 'employee' and created_at < ${range.to}::timestamptz
        and (created_at, conversation_id, seq) > (${at}::timestamptz, ${conversationId}::bigint, ${seq}::int)
      order by created_at, conversation_id, seq limit ${answers}
    )
    select page.created_at as at, page.conversation_id, page.seq, c.name as campaign, t.name as team, e.name as employee,
      e.email, q.body as question, page.body, page.sentiment
    from page
    join conversations v on v.org_id = ${orgId} and v.id = page.conversation_id
    join campaigns c on c.org_id = ${orgId} and c.id = v.campaign_id
    join employees e on e.org_id = ${orgId} and e.id = v.employee_id
    join teams t on t.org_id = ${orgId} and t.id = v.team_id
    left join messages q on q.org_id = ${orgId} and q.conversation_id = page.conversation_id and q.seq = page.question_seq
    order by page.created_at, page.conversation_id, page.seq`.execute(db);
  return rows.rows;
}
