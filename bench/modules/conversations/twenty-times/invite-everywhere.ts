import type { Client } from 'pg';
import { createCheckInToken } from '../../../../src/modules/conversations/links.ts';

/**
 * A campaign in each organisation whose mails have all arrived, to `people` of all employees, by chance and so in
 * proportion to the organisations' sizes. It asks what the organisation's newest draft asks. Returns the check-in
 * tokens. Throws when there are fewer people.
 */
export async function inviteEverywhere(database: Client, secretKey: string, people: number): Promise<string[]> {
  const { rows } = await database.query<{ org_id: string; id: string }>(
    `with campaign as (
       insert into campaigns (org_id, name, subject, body, questions, status, launched_at, finished_at, link_expires_at, expanded_to)
       select distinct on (org_id) org_id, 'Arrived', subject, body, questions, 'done', now(), now(), now() + interval '1 day', null
       from campaigns where status = 'draft' order by org_id, id desc
       returning org_id, id
     ), chosen as (
       select org_id, id, row_number() over (order by hashint8extended(id, 1)) as place from employees
       order by place limit $1
     ), progress as (
       insert into campaign_progress (org_id, campaign_id) select org_id, id from campaign
     )
     insert into reach_outs (org_id, campaign_id, employee_id, status, due_at, sent_at)
     select chosen.org_id, campaign.id, chosen.id, 'sent', null, now()
     from chosen join campaign on campaign.org_id = chosen.org_id order by chosen.place
     returning org_id, id`,
    [people],
  );
  if (rows.length < people) throw new Error(`${rows.length} people can be invited, not ${people}.`);
  return rows.map((row) => createCheckInToken(secretKey, { orgId: Number(row.org_id), id: Number(row.id) }));
}
