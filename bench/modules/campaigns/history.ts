import type { HistoryQueries } from '../../load/history.ts';

/** Each campaign has a name of its own: what was stored twice is found by it. */
export const CAMPAIGN_HISTORY: HistoryQueries = {
  campaign: [
    `select case when c.id is null then 'lost' else 'duplicated' end as what,
    format('campaign %s "%s" of organisation %s', given.id, given.name, given."orgId") as sample
  from jsonb_to_recordset($1::jsonb) as given ("orgId" bigint, id bigint, name text)
  left join campaigns c on c.org_id = given."orgId" and c.id = given.id and c.name = given.name
  where c.id is null or exists (select from campaigns twin
    where twin.org_id = given."orgId" and twin.name = given.name and twin.id <> given.id and twin.parent_id is null)`,
  ],
};
