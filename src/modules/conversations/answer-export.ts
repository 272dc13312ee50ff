import { sql } from 'kysely';
import type { Db } from '../../db/database.ts';
import type { Place } from '../../db/keyset-pagination.ts';

export interface ExportedAnswer {
  readonly id: number;
  readonly started_at: string;
  /** Null: a conversation without answers. */
  readonly seq: number | null;
  readonly at: string;
  readonly campaign: string;
  readonly team: string;
  readonly employee: string;
  readonly email: string;
  readonly question: string | null;
  readonly body: string;
  readonly sentiment: number | null;
}

/**
 * Answers of conversations that began in [from, to), ordered by (started_at, conversation, seq), `conversations` of
 * them at a time. A conversation without answers has one row without seq, so that the page's last place is always
 * known.
 */
export async function exportPage(
  db: Db,
  orgId: number,
  range: { from: string; to: string },
  after: Place | undefined,
  conversations: number,
) {
  const [afterStart = range.from, afterId = 0] = after ?? [];
  const rows = await sql<ExportedAnswer>`
    with page as (
      select id, started_at, campaign_id, employee_id, team_id from conversations
      where org_id = ${orgId} and started_at < ${range.to}::timestamptz and (started_at, id) > (${afterStart}::timestamptz, ${afterId}::bigint)
      order by started_at, id limit ${conversations}
    )
    select page.id, page.started_at, a.seq, a.created_at as at, c.name as campaign, t.name as team, e.name as employee, e.email,
      q.body as question, a.body, a.sentiment
    from page
    join campaigns c on c.org_id = ${orgId} and c.id = page.campaign_id
    join employees e on e.org_id = ${orgId} and e.id = page.employee_id
    join teams t on t.org_id = ${orgId} and t.id = page.team_id
    left join messages a on a.org_id = ${orgId} and a.conversation_id = page.id and a.sender = 'employee'
    left join messages q on q.org_id = ${orgId} and q.conversation_id = page.id and q.seq = a.seq - 1
    order by page.started_at, page.id, a.seq`.execute(db);
  return rows.rows;
}
