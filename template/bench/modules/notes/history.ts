import type { HistoryQueries } from '../../../../bench/load/history.ts';

/** Each written note has a title of its own: one that was stored twice is found by it. */
export const NOTE_HISTORY: HistoryQueries = {
  note: [
    `select case when n.id is null then 'lost' else 'duplicated' end as what,
      format('note %s "%s" of organisation %s', given.id, given.title, given."orgId") as sample
    from jsonb_to_recordset($1::jsonb) as given ("orgId" bigint, id bigint, title text)
    left join notes n on n.org_id = given."orgId" and n.id = given.id and n.title = given.title
    where n.id is null or exists (
      select from notes twin where twin.org_id = given."orgId" and twin.title = given.title and twin.id <> given.id
    )`,
  ],
};
