import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import type { SeedContext, SeedOrganisation } from '../faces.ts';
import { CAMPAIGN_DEFAULTS } from './campaign-mail.ts';
import { toQuestion } from './campaigns.ts';
import { LINK_DAYS } from './limits.ts';

const DAY_MS = 24 * 3_600_000;
const WEEKS = 13; // of 7 days, and up to 5 days apart between organisations: 90 days
const LAUNCH_HOUR_MS = 9 * 3_600_000; // UTC
/** Each week a third of the people is asked: nobody is asked more often than every third week. */
const PANELS = 3;

/** What a weekly check-in asks. */
const QUESTIONS = [
  'How was your week, all in all?',
  'How is your workload?',
  'Do you get the support that you need from your team?',
];

interface Launch {
  /** Ids in the order of the launches, as if the product had made them. */
  readonly campaignId: number;
  readonly orgId: number;
  /** 0 is the oldest, WEEKS - 1 the newest. */
  readonly week: number;
  readonly at: Date;
}

/** Writes a weekly campaign of each organisation, in the order in which they were launched, and a draft of each. */
export async function seed(context: SeedContext): Promise<Record<string, number>> {
  const { db, organisations, now, onProgress, waitForReplicas } = context;
  const all = launches(organisations, now);
  let reachOuts = 0;
  for (const [index, launch] of all.entries()) {
    if (index % organisations.length === 0) onProgress(`campaigns, ${index} of ${all.length}`);
    await writeCampaign(db, launch);
    reachOuts += await writeReachOuts(db, launch, reachOuts + 1);
    await waitForReplicas();
  }
  await writeDrafts(db, organisations, all.length + 1, now);
  await writeTotals(db);
  // The statements that follow would be planned for empty tables.
  await sql`analyze campaigns, campaign_progress, reach_outs`.execute(db);
  return { campaigns: all.length + organisations.length, reachOuts };
}

/** The owner's organisation launched last, yesterday: the newest answers to it are today's. */
function launches(organisations: readonly SeedOrganisation[], now: Date): Launch[] {
  const today = Math.floor(now.getTime() / DAY_MS) * DAY_MS;
  return organisations
    .flatMap(({ id: orgId }, index) =>
      Array.from({ length: WEEKS }, (_, week) => {
        const daysAgo = 1 + (index % 5) + 7 * (WEEKS - 1 - week);
        const at = new Date(today - daysAgo * DAY_MS + LAUNCH_HOUR_MS - index * 60_000);
        return { orgId, week, at };
      }),
    )
    .toSorted((a, b) => a.at.getTime() - b.at.getTime())
    .map((launch, index) => ({ ...launch, campaignId: index + 1 }));
}

async function writeCampaign(db: Db, { orgId, campaignId, at }: Launch): Promise<void> {
  const day = at.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', timeZone: 'UTC' });
  await sql`
    insert into campaigns (org_id, id, name, subject, body, questions, status, launched_at, link_expires_at, expanded_to, created_at)
    overriding system value
    values (${orgId}, ${campaignId}, ${`Weekly check-in, ${day}`}, ${CAMPAIGN_DEFAULTS.subject}, ${CAMPAIGN_DEFAULTS.body},
      ${JSON.stringify(QUESTIONS.map(toQuestion))}::jsonb, 'done', ${at}, ${new Date(at.getTime() + LINK_DAYS * DAY_MS)}, null, ${at}::timestamptz - interval '1 hour')`.execute(
    db,
  );
}

/** Returns how many. A mailbox that does not exist bounces every time. */
async function writeReachOuts(db: Db, { orgId, campaignId, week, at }: Launch, firstId: number): Promise<number> {
  const { numAffectedRows } = await sql`
    insert into reach_outs (org_id, id, campaign_id, employee_id, status, attempts, due_at, sent_at, error, cause)
    overriding system value
    select ${orgId}, ${firstId}::bigint + place, ${campaignId}, id, case when bounced then 'failed' else 'sent' end, 1, null,
      case when not bounced then ${at}::timestamptz + (place + 1) * interval '5 ms' end,
      case when bounced then '550 5.1.1 No such user' end, case when bounced then 'recipient' end
    from (
      select id, row_number() over (order by id) - 1 as place, pg_temp.chance(id, 'no such user') < 0.004 as bounced
      from employees
      where org_id = ${orgId} and (id + ${week}::int) % ${PANELS}::int = 0
        and created_at < ${at} and coalesce(unsubscribed_at > ${at}, true)
    ) as asked
    order by place`.execute(db);
  return Number(numAffectedRows);
}

async function writeDrafts(
  db: Db,
  organisations: readonly SeedOrganisation[],
  firstId: number,
  now: Date,
): Promise<void> {
  const { subject, body, questions } = CAMPAIGN_DEFAULTS;
  await sql`
    insert into campaigns (org_id, id, name, subject, body, questions, created_at) overriding system value
    select org_id, ${firstId}::bigint + org_id - 1, 'Quarterly check-in', ${subject}, ${body}, ${JSON.stringify(questions.map(toQuestion))}::jsonb,
      ${now}::timestamptz - interval '2 hours'
    from unnest(${organisations.map(({ id }) => id)}::bigint[]) as org_id`.execute(db);
}

/** What the product keeps up to date row by row, here counted once: campaign_progress, and when sending ended. */
async function writeTotals(db: Db): Promise<void> {
  await sql`
    insert into campaign_progress (org_id, campaign_id, recipients, sent, failed)
    select c.org_id, c.id, coalesce(recipients, 0), coalesce(sent, 0), coalesce(failed, 0)
    from campaigns c
    left join (
      select org_id, campaign_id, count(*) as recipients, count(*) filter (where status = 'sent') as sent,
        count(*) filter (where status = 'failed') as failed
      from reach_outs group by org_id, campaign_id
    ) as r on r.org_id = c.org_id and r.campaign_id = c.id
    order by c.org_id, c.id`.execute(db);
  await sql`
    update campaigns set finished_at = coalesce(
      (select max(sent_at) from reach_outs where org_id = campaigns.org_id and campaign_id = campaigns.id),
      launched_at) + interval '1 second'
    where status = 'done'`.execute(db);
}
