import type { HistoryQueries } from '../../load/history.ts';

/** The nonce of each answer is in its text: what was stored twice under two numbers is found by its words. */
const ANSWER_FAULTS = `
  select case when m.seq is null or m.body <> given.body then 'lost'
      when (select count(*) from messages twin where twin.org_id = c.org_id and twin.conversation_id = c.id
        and twin.body = given.body) > 1 then 'duplicated'
      when m.seq <> given.seq then 'wrongSeq'
      else 'wrongQuestion' end as what,
    format('answer %s of reach-out %s, acknowledged as %s, is %s', given.nonce, given."reachOutId", given.seq,
      coalesce(m.seq::text, 'not there')) as sample
  from jsonb_to_recordset($1::jsonb) as given ("orgId" bigint, "reachOutId" bigint, nonce text, seq int, body text)
  left join conversations c on c.org_id = given."orgId" and c.reach_out_id = given."reachOutId"
  left join messages m on m.org_id = c.org_id and m.conversation_id = c.id and m.nonce = given.nonce
  where m.seq is null or m.body <> given.body or m.seq <> given.seq or m.question_seq is distinct from m.seq - 1
    or (select count(*) from messages twin where twin.org_id = c.org_id and twin.conversation_id = c.id
      and twin.body = given.body) > 1`;

const GAPS = `
  select 'withGaps' as what,
    format('conversation %s has %s messages, numbers up to %s and says %s', c.id, count(*), max(m.seq), c.last_seq) as sample
  from (select distinct "orgId", "reachOutId" from jsonb_to_recordset($1::jsonb)
    as entry ("orgId" bigint, "reachOutId" bigint)) as given
  join conversations c on c.org_id = given."orgId" and c.reach_out_id = given."reachOutId"
  join messages m on m.org_id = c.org_id and m.conversation_id = c.id
  group by c.org_id, c.id, c.last_seq
  having count(*) <> max(m.seq) or min(m.seq) <> 1 or c.last_seq <> max(m.seq)`;

export const CONVERSATION_HISTORY: HistoryQueries = { answer: [ANSWER_FAULTS, GAPS] };
