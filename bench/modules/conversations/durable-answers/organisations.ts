/** Organisations of one size, made for the bench: those of the seed differ, and so would the batches. */
import type { Client } from 'pg';
import { LINK_DAYS } from '../../../../src/modules/campaigns/limits.ts';
import type { InvitationKey } from '../../../../src/modules/conversations/conversations.ts';
import { QUESTIONS } from './limits.ts';

/** `people` together. Returns their ids. */
export async function addOrganisations(database: Client, count: number, people: number): Promise<number[]> {
  const { rows } = await database.query<{ id: string }>(
    `insert into organisations (name) select 'Answers ' || n from generate_series(1, $1::int) n returning id`,
    [count],
  );
  const ids = rows.map(({ id }) => Number(id));
  await database.query(`insert into teams (org_id, name) select unnest($1::bigint[]), 'Everybody'`, [ids]);
  await database.query(
    `insert into employees (org_id, team_id, name, email)
     select t.org_id, t.id, 'Person ' || n, 'person-' || n || '@answers-' || t.org_id || '.test'
     from teams t, generate_series(1, $2::int) n where t.org_id = any($1)`,
    [ids, Math.ceil(people / count)],
  );
  return ids;
}

export interface Invited {
  readonly campaignIds: readonly number[];
  /** Those of different organisations by turns. */
  readonly keys: readonly InvitationKey[];
}

/** A campaign in each of them, whose mails have all arrived. */
export async function inviteAll(database: Client, organisationIds: readonly number[]): Promise<Invited> {
  const asked = Array.from({ length: QUESTIONS }, (_, n) => ({
    text: `What do you say, the ${n + 1}. time?`,
    answer: 'text',
  }));
  const { rows: campaigns } = await database.query<{ id: string }>(
    `with campaign as (
       insert into campaigns (org_id, name, subject, body, questions, status, launched_at, finished_at, link_expires_at, expanded_to)
       select unnest($1::bigint[]), 'Answers', 's', 'b', $2, 'done', now(), now(), now() + make_interval(days => $3), null
       returning org_id, id
     ), progress as (
       insert into campaign_progress (org_id, campaign_id) select org_id, id from campaign
     )
     select id from campaign`,
    [organisationIds, JSON.stringify(asked), LINK_DAYS],
  );
  const campaignIds = campaigns.map(({ id }) => Number(id));
  const { rows } = await database.query<{ org_id: string; id: string; place: string }>(
    `with invited as (
       insert into reach_outs (org_id, campaign_id, employee_id, status, due_at, sent_at)
       select c.org_id, c.id, e.id, 'sent', null, now()
       from campaigns c join employees e on e.org_id = c.org_id where c.id = any($1)
       returning org_id, id
     )
     select org_id, id, row_number() over (partition by org_id order by id) as place from invited order by place, org_id`,
    [campaignIds],
  );
  return { campaignIds, keys: rows.map(({ org_id, id }) => ({ orgId: Number(org_id), reachOutId: Number(id) })) };
}

/** Of these campaigns, in the database. */
export async function storedAnswers(database: Client, campaignIds: readonly number[]): Promise<number> {
  const { rows } = await database.query<{ count: string }>(
    `select count(*) from conversations v join messages m on m.org_id = v.org_id and m.conversation_id = v.id
     where v.campaign_id = any($1) and m.sender = 'employee'`,
    [campaignIds],
  );
  return Number(rows[0]?.count);
}
