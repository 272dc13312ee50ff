import { Client } from 'pg';
import { LINK_DAYS } from '../../../src/modules/campaigns/limits.ts';
import { createCheckInToken } from '../../../src/modules/conversations/links.ts';

/**
 * A new campaign of the largest organisation whose mails have all arrived: written past the product, by the tables'
 * owner, because a mail for each of thousands is not what is being measured. Returns the check-in tokens of `people` of
 * its employees. Throws when it has fewer.
 */
export async function invite(
  { databaseUrl, secretKey }: { databaseUrl: string; secretKey: string },
  { people, questions }: { people: number; questions: number },
): Promise<string[]> {
  const client = new Client({ connectionString: databaseUrl, application_name: 'bench-invite' });
  await client.connect();
  try {
    const asked = Array.from({ length: questions }, (_, n) => ({
      text: `And what do you say to this, the ${n + 1}. of all?`,
      answer: 'text',
    }));
    const { rows: largest } = await client.query<{ org_id: string }>(
      `select org_id from teams group by org_id order by sum(employees) desc limit 1`,
    );
    const orgId = Number(largest[0]?.org_id);
    const { rows } = await client.query<{ id: string }>(
      `with campaign as (
         insert into campaigns (org_id, name, subject, body, questions, status, launched_at, finished_at, link_expires_at, expanded_to)
         values ($1, 'An evening', 'Tonight', 'Tonight', $2, 'done', now(), now(), now() + make_interval(days => $4), null)
         returning id
       ), progress as (
         insert into campaign_progress (org_id, campaign_id, recipients, sent) select $1, id, $3, $3 from campaign
       )
       insert into reach_outs (org_id, campaign_id, employee_id, status, due_at, sent_at)
       select $1, campaign.id, chosen.id, 'sent', null, now()
       from campaign, (select id from employees where org_id = $1 order by id limit $3) as chosen
       returning id`,
      [orgId, JSON.stringify(asked), people, LINK_DAYS],
    );
    if (rows.length < people) throw new Error(`The largest organisation has ${rows.length} employees, not ${people}.`);
    return rows.map(({ id }) => createCheckInToken(secretKey, { orgId, id: Number(id) }));
  } finally {
    await client.end();
  }
}
