import { MOOD_GROUP_MIN } from '../../../../src/modules/mood/limits.ts';
import type { Read } from './database.ts';

/** The key figures of the home page, each counted when it is asked for. */
export async function summaryOf(read: Read, orgId: number): Promise<Record<string, unknown>> {
  const figures = Object.entries(FIGURES).map(async ([name, select]) => {
    const [row] = await read<{ figure: unknown }>(select, [orgId]);
    return [name, row?.figure];
  });
  return Object.fromEntries(await Promise.all(figures));
}

const TODAY = `(now() at time zone 'utc')::date`;
const moodOf = (day: string) => `
  select case when sum(scored) >= ${MOOD_GROUP_MIN} then sum(score_sum) / sum(scored) end as figure
  from mood_days where org_id = $1 and day = ${day}`;

const FIGURES = {
  employees: 'select count(*)::int as figure from employees where org_id = $1',
  teams: 'select count(*)::int as figure from teams where org_id = $1',
  campaignsSending: `select count(*)::int as figure from campaigns where org_id = $1 and status = 'sending'`,
  answersToday: `select coalesce(sum(answers), 0)::int as figure from mood_days where org_id = $1 and day = ${TODAY}`,
  moodToday: moodOf(TODAY),
  moodWeekAgo: moodOf(`${TODAY} - 7`),
  openConversations: `
    select count(*)::int as figure from conversations
    where org_id = $1 and started_at > now() - interval '1 day' and finished_at is null`,
};
