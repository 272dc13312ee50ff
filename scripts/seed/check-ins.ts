import { sql } from 'kysely';
import type { Db } from '../../src/db/database.ts';
import { CAMPAIGN_DEFAULTS } from '../../src/modules/campaigns/campaign-mail.ts';
import { LINK_DAYS } from '../../src/modules/campaigns/limits.ts';
import { QUESTIONS } from './answer-texts.ts';
import { writeConversations } from './conversations.ts';
import type { SeedOrganisation } from './organisations.ts';
import { waitForReplicas } from './replica-lag.ts';

const DAY_MS = 24 * 3_600_000;
const WEEKS = 13; // of 7 days, and up to 5 days apart between organisations: 90 days
const LAUNCH_HOUR_MS = 9 * 3_600_000; // UTC
/** Each week a third of the people is asked: nobody is asked more often than every third week. */
const PANELS = 3;

export interface Launch {
  /** Ids in the order of the launches, as if the product had made them. */
  readonly campaignId: number;
  readonly orgId: number;
  /** 0 is the oldest, WEEKS - 1 the newest. */
  readonly week: number;
  /** The week as a share of all: 0 to 1. */
  readonly progress: number;
  readonly at: Date;
  readonly now: Date;
}

/**
 * Writes a weekly campaign of each organisation, one campaign after the other in the order in which they were launched:
 * rows lie in the tables, and ids follow each other, as after three months of use.
 */
export async function writeCheckIns(
  db: Db,
  organisations: SeedOrganisation[],
  { now, onProgress }: { now: Date; onProgress: (text: string) => void },
): Promise<{ reachOuts: number; conversations: number; messages: number }> {
  const written = { reachOuts: 0, conversations: 0, messages: 0 };
  const all = launches(organisations, now);
  for (const [index, launch] of all.entries()) {
    if (index % organisations.length === 0) onProgress(`check-ins, ${index} of ${all.length} campaigns`);
    await writeCampaign(db, launch);
    const next = written.reachOuts + 1;
    written.reachOuts += await writeReachOuts(db, launch, next);
    const { conversations, messages } = await writeConversations(db, launch, written.conversations + 1);
    written.conversations += conversations;
    written.messages += messages;
    await waitForReplicas(db);
  }
  await writeDrafts(db, organisations, all.length + 1, now);
  return written;
}

/** The owner's organisation launched last, yesterday: its newest answers are today's. */
function launches(organisations: SeedOrganisation[], now: Date): Launch[] {
  const today = Math.floor(now.getTime() / DAY_MS) * DAY_MS;
  return organisations
    .flatMap(({ id: orgId }, index) =>
      Array.from({ length: WEEKS }, (_, week) => {
        const daysAgo = 1 + (index % 5) + 7 * (WEEKS - 1 - week);
        const at = new Date(today - daysAgo * DAY_MS + LAUNCH_HOUR_MS - index * 60_000);
        return { orgId, week, progress: week / (WEEKS - 1), at, now };
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
      ${QUESTIONS}, 'done', ${at}, ${new Date(at.getTime() + LINK_DAYS * DAY_MS)}, null, ${at}::timestamptz - interval '1 hour')`.execute(
    db,
  );
}

/** Returns how many. A mailbox that does not exist bounces every time. */
async function writeReachOuts(db: Db, { orgId, campaignId, week, at }: Launch, firstId: number): Promise<number> {
  const { numAffectedRows } = await sql`
    insert into reach_outs (org_id, id, campaign_id, employee_id, status, attempts, due_at, sent_at, error)
    overriding system value
    select ${orgId}, ${firstId}::bigint + place, ${campaignId}, id, case when bounced then 'failed' else 'sent' end, 1, null,
      case when not bounced then ${at}::timestamptz + (place + 1) * interval '5 ms' end,
      case when bounced then '550 5.1.1 No such user' end
    from (
      select id, row_number() over (order by id) - 1 as place, pg_temp.chance(id, 'no such user') < 0.004 as bounced
      from employees
      where org_id = ${orgId} and (id + ${week}::int) % ${PANELS}::int = 0
        and created_at < ${at} and coalesce(unsubscribed_at > ${at}, true)
    ) as asked
    order by place`.execute(db);
  return Number(numAffectedRows);
}

async function writeDrafts(db: Db, organisations: SeedOrganisation[], firstId: number, now: Date): Promise<void> {
  const { subject, body, questions } = CAMPAIGN_DEFAULTS;
  await sql`
    insert into campaigns (org_id, id, name, subject, body, questions, created_at) overriding system value
    select org_id, ${firstId}::bigint + org_id - 1, 'Quarterly check-in', ${subject}, ${body}, ${[...questions]}::text[],
      ${now}::timestamptz - interval '2 hours'
    from unnest(${organisations.map(({ id }) => id)}::bigint[]) as org_id`.execute(db);
}
