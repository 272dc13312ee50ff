import type { Read } from './database.ts';

export type ListName = 'employees' | 'campaigns' | 'conversations';

export interface Page {
  readonly items: readonly object[];
  readonly nextCursor: string | null;
}

export type ReadList = (
  list: ListName,
  orgId: number,
  query: { readonly limit?: number; readonly cursor?: string },
) => Promise<Page>;

/** The whole list, whatever its length: the page in the browser sorts and filters it. */
export function wholeLists(read: Read): ReadList {
  return async (list, orgId) => {
    const { select, key, order, toItem } = LISTS[list];
    const rows = await read<Row>(`${select} order by ${key} ${order}`, [orgId]);
    return { items: rows.map(toItem), nextCursor: null };
  };
}

/** One row of a list by its id; undefined when the organisation has none. */
export async function rowOf(read: Read, list: ListName, orgId: number, id: number): Promise<object | undefined> {
  const { select, key, toItem } = LISTS[list];
  const [row] = await read<Row>(`${select} and ${key} = $2`, [orgId, id]);
  return row && toItem(row);
}

// biome-ignore lint/suspicious/noExplicitAny: each list has its own columns
type Row = any;

interface List {
  /** Ends in its condition on the organisation. */
  readonly select: string;
  readonly key: string;
  readonly order: 'asc' | 'desc';
  toItem(row: Row): { readonly id: number };
}

export const LISTS: Readonly<Record<ListName, List>> = {
  employees: {
    select: `
      select e.id, e.name, e.email, e.team_id, t.name as team, e.unsubscribed_at, e.created_at
      from employees e join teams t on t.org_id = e.org_id and t.id = e.team_id
      where e.org_id = $1`,
    key: 'e.id',
    order: 'asc',
    toItem: (row) => ({
      id: row.id,
      name: row.name,
      email: row.email,
      team: { id: row.team_id, name: row.team },
      unsubscribedAt: row.unsubscribed_at,
      createdAt: row.created_at,
    }),
  },
  campaigns: {
    select: `
      select c.id, c.name, c.subject, c.body, c.questions, c.status, c.launched_at, c.finished_at, c.created_at,
        p.recipients, p.sent, p.failed, p.skipped, p.opened, p.finished, p.answers
      from campaigns c join campaign_progress p on p.org_id = c.org_id and p.campaign_id = c.id
      where c.org_id = $1`,
    key: 'c.id',
    order: 'desc',
    toItem: ({ id, name, subject, body, questions, status, launched_at, finished_at, created_at, ...progress }) => ({
      ...{ id, name, subject, body, questions, status },
      launchedAt: launched_at,
      finishedAt: finished_at,
      createdAt: created_at,
      progress,
    }),
  },
  conversations: {
    select: `
      select v.id, v.campaign_id, c.name as campaign, v.employee_id, e.name as employee, v.team_id, t.name as team,
        v.answers, v.scored, v.score_sum, v.started_at, v.last_message_at, v.finished_at
      from conversations v
      join campaigns c on c.org_id = v.org_id and c.id = v.campaign_id
      join employees e on e.org_id = v.org_id and e.id = v.employee_id
      join teams t on t.org_id = v.org_id and t.id = v.team_id
      where v.org_id = $1`,
    key: 'v.id',
    order: 'desc',
    toItem: (row) => ({
      id: row.id,
      campaign: { id: row.campaign_id, name: row.campaign },
      employee: { id: row.employee_id, name: row.employee },
      team: { id: row.team_id, name: row.team },
      answers: row.answers,
      scored: row.scored,
      mood: row.scored === 0 ? null : Math.round((row.score_sum / row.scored) * 1000) / 1000,
      startedAt: row.started_at,
      lastMessageAt: row.last_message_at,
      finishedAt: row.finished_at,
    }),
  },
};
