import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import type { SeedContext } from '../faces.ts';
import { createAnswerTexts } from './seed-answer-texts.ts';
import { type Launch, writeConversations } from './seed-conversations.ts';

/** Writes what people answered to the campaigns, one after the other in the order of their launches, as after three months of use. */
export async function seed({ db, now, onProgress, waitForReplicas }: SeedContext): Promise<Record<string, number>> {
  await createAnswerTexts(db);
  const written = { conversations: 0, messages: 0 };
  const all = await launches(db);
  for (const [index, launch] of all.entries()) {
    if (index % PROGRESS_EVERY === 0) onProgress(`conversations of ${index} of ${all.length} campaigns`);
    const { conversations, messages } = await writeConversations(db, launch, written.conversations + 1, now);
    written.conversations += conversations;
    written.messages += messages;
    await waitForReplicas();
  }
  onProgress('totals');
  await writeTotals(db);
  return written;
}

const PROGRESS_EVERY = 10;

/** Those that were sent, oldest first. */
async function launches(db: Db): Promise<Launch[]> {
  const { rows } = await sql<Omit<Launch, 'progress'> & { weeks: number }>`
    select id::int as "campaignId", org_id::int as "orgId", questions, launched_at as at,
      (row_number() over (partition by org_id order by launched_at) - 1)::int as week,
      (count(*) over (partition by org_id))::int as weeks
    from campaigns where status = 'done' order by id`.execute(db);
  return rows.map((row) => ({ ...row, progress: row.week / Math.max(1, row.weeks - 1) }));
}

/** What the product keeps up to date answer by answer, here counted once. */
async function writeTotals(db: Db): Promise<void> {
  await sql`
    update campaign_progress set opened = counted.opened, finished = counted.finished, answers = counted.answers
    from (
      select org_id, campaign_id, count(*) as opened, count(finished_at) as finished, sum(answers) as answers
      from conversations group by org_id, campaign_id
    ) as counted
    where campaign_progress.org_id = counted.org_id and campaign_progress.campaign_id = counted.campaign_id`.execute(
    db,
  );
  await sql`
    insert into mood_days (org_id, day, team_id, answers, scored, score_sum)
    select m.org_id, (m.created_at at time zone 'UTC')::date as day, v.team_id, count(*), count(m.sentiment),
      coalesce(sum(m.sentiment::double precision), 0)
    from messages m
    join conversations v on v.org_id = m.org_id and v.id = m.conversation_id
    where m.sender = 'employee'
    group by m.org_id, day, v.team_id
    order by m.org_id, day, v.team_id`.execute(db);
}
