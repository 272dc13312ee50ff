-- The statements that are sent to PostgreSQL, each with the function that sends it and the roles it runs as.
-- Written by npm run queries and planned by planned.test.ts; not to be changed by hand.

-- src/modules/conversations/answer-export.ts exportPage (tenant)
with page as (
  select created_at, conversation_id, seq, question_seq, body, sentiment
  from messages
  where org_id = $1 and sender = 'employee' and created_at < $2::timestamptz and (created_at, conversation_id,
      seq) > ($3::timestamptz, $4::bigint, $5::int)
  order by created_at, conversation_id, seq
  limit $6
)
select page.created_at as at, page.conversation_id, page.seq, c.name as campaign, t.name as team, e.name as employee,
    e.email, q.body as question, page.body, page.sentiment
from page
join conversations v on v.org_id = $7 and v.id = page.conversation_id
join campaigns c on c.org_id = $8 and c.id = v.campaign_id
join employees e on e.org_id = $9 and e.id = v.employee_id
join teams t on t.org_id = $10 and t.id = v.team_id
left join messages q on q.org_id = $11 and q.conversation_id = page.conversation_id and q.seq = page.question_seq
order by page.created_at, page.conversation_id, page.seq;

-- src/modules/conversations/answers.ts lockByReachOut
-- src/modules/conversations/answers.ts storeAnswers (tenant)
select v.id, v.reach_out_id as "reachOutId", v.campaign_id as "campaignId", v.last_seq as "lastSeq", v.step,
    v.waiting_for as "waitingFor", v.finished_at is not null as finished, c.questions,
    coalesce(c.link_expires_at <= now(), true) as expired, now() as at
from conversations v
join campaigns c on c.org_id = v.org_id and c.id = v.campaign_id
where v.org_id = $1 and v.reach_out_id = any($2::bigint[])
order by v.id
for update of v;

-- src/modules/conversations/answers.ts storeAnswers
-- src/modules/conversations/step-in.ts (tenant)
select given.place, given.nonce, m.seq
from unnest($1::bigint[], $2::text[]) as given (place, nonce)
cross join lateral (
  select seq
  from messages
  where org_id = $3 and conversation_id = given.place and nonce = given.nonce
  limit 1
) as m;

-- src/modules/conversations/answers.ts storeAnswers (tenant)
update conversations as v
set (last_seq, step, waiting_for, answers, last_message_at, finished_at) = (
  select given.last_seq, given.step, given.waiting_for, v.answers + given.answers, now(),
      case when given.finished then now() end
  from jsonb_to_record($1::jsonb -> (v.id)::text) as given (last_seq integer, step integer, waiting_for integer,
      answers integer, finished boolean)
)
where v.org_id = $2 and v.id = any($3::bigint[]);

-- src/modules/conversations/conversations.ts beginConversations (tenant)
insert into conversations (org_id, reach_out_id, campaign_id, employee_id, team_id, last_seq, step, waiting_for)
select $1::bigint, given.*, $2::int, 1, $3::int
from unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[]) as given (reach_out_id, campaign_id, employee_id,
    team_id)
on conflict (org_id, reach_out_id) do nothing
returning id, reach_out_id;

-- src/modules/conversations/conversations.ts beginConversations (tenant)
select r.id as "reachOutId", c.id as "campaignId", c.name as campaign, jsonb_array_length(c.questions) as questions,
    c.questions -> 0 as "firstQuestion", coalesce(c.link_expires_at <= now(), true) as expired, e.id as "employeeId",
    e.team_id as "teamId", e.name, o.name as organisation, now() as at, v.id as "conversationId"
from reach_outs r
join campaigns c on c.org_id = r.org_id and c.id = r.campaign_id
join employees e on e.org_id = r.org_id and e.id = r.employee_id
join organisations o on o.id = r.org_id
left join conversations v on v.org_id = r.org_id and v.reach_out_id = r.id
where r.org_id = $1 and r.id = any($2::bigint[]) for key share of e, c, r;

-- src/modules/conversations/conversations.ts invitationsOf (tenant)
select r.id as "reachOutId", c.id as "campaignId", c.name as campaign, jsonb_array_length(c.questions) as questions,
    c.questions -> 0 as "firstQuestion", coalesce(c.link_expires_at <= now(), true) as expired, e.id as "employeeId",
    e.team_id as "teamId", e.name, o.name as organisation, now() as at, v.id as "conversationId"
from reach_outs r
join campaigns c on c.org_id = r.org_id and c.id = r.campaign_id
join employees e on e.org_id = r.org_id and e.id = r.employee_id
join organisations o on o.id = r.org_id
left join conversations v on v.org_id = r.org_id and v.reach_out_id = r.id
where r.org_id = $1 and r.id = any($2::bigint[]);

-- src/modules/conversations/conversations.ts lastSeqsOf (tenant)
select reach_out_id as "reachOutId", last_seq as "lastSeq"
from conversations
where org_id = $1 and reach_out_id = any($2::bigint[]);

-- src/modules/conversations/conversations.ts statesOf (tenant)
select given.nth, v.last_seq as "lastSeq", v.waiting_for as "waitingFor", v.finished_at is not null as finished, m.seq,
    m.sender, m.author, m.body, m.created_at as at, m.nonce, m.asks
from unnest($1::integer[], $2::bigint[], $3::integer[]) as given (nth, reach_out_id, last_seq)
cross join lateral (
  select *
  from conversations
  where org_id = $4 and reach_out_id = given.reach_out_id
  limit 1
) as v
left join lateral (
  select *
  from messages
  where org_id = $5 and conversation_id = v.id
      and seq > case when given.last_seq > v.last_seq then 0 else given.last_seq end
  order by seq desc
  limit $6
) as m on true
order by given.nth, m.seq;

-- src/modules/conversations/person.ts conversations (tenant)
select id, campaign_id as "campaignId", started_at as "startedAt", finished_at as "finishedAt"
from conversations
where org_id = $1 and employee_id = $2
order by id
limit $3;

-- src/modules/conversations/person.ts messages (tenant)
select messages.conversation_id as "conversationId", messages.seq, messages.sender, messages.author, messages.body,
    messages.choice, messages.sentiment, messages.created_at as at
from conversations
inner join messages on messages.org_id = conversations.org_id and messages.conversation_id = conversations.id
where conversations.org_id = $1 and conversations.employee_id = $2
limit $3;

-- src/modules/conversations/queries.ts addMessages (tenant)
insert into messages (org_id, conversation_id, seq, sender, author, nonce, body, asks, question_seq, choice, unscored)
select $1::bigint, given.*
from unnest($2::bigint[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::integer[],
    $10::integer[], $11::boolean[]) as given (conversation_id, seq, sender, author, nonce, body, asks, question_seq,
    choice, unscored);

-- src/modules/conversations/queries.ts conversationById (tenant)
select seq, sender, author, body, asks, choice, sentiment, created_at as at, sender = 'employee'
    and not unscored as scored
from messages
where org_id = $1 and conversation_id = $2
order by seq
limit $3;

-- src/modules/conversations/queries.ts conversationById (tenant)
select v.id, v.campaign_id, c.name as campaign, v.employee_id, e.name as employee, v.team_id, t.name as team,
    v.answers, v.scored, v.score_sum, v.started_at, v.last_message_at, v.finished_at
from conversations as v
inner join campaigns as c on c.org_id = v.org_id and c.id = v.campaign_id
inner join employees as e on e.org_id = v.org_id and e.id = v.employee_id
inner join teams as t on t.org_id = v.org_id and t.id = v.team_id
where v.org_id = $1 and v.id = $2;

-- src/modules/conversations/queries.ts conversationsPage (tenant)
select v.id, v.campaign_id, c.name as campaign, v.employee_id, e.name as employee, v.team_id, t.name as team,
    v.answers, v.scored, v.score_sum, v.started_at, v.last_message_at, v.finished_at
from conversations as v
inner join campaigns as c on c.org_id = v.org_id and c.id = v.campaign_id
inner join employees as e on e.org_id = v.org_id and e.id = v.employee_id
inner join teams as t on t.org_id = v.org_id and t.id = v.team_id
where v.org_id = $1 and v.id < $2
order by v.id desc
limit $3;

-- src/modules/conversations/queries.ts conversationsPage (tenant)
select v.id, v.campaign_id, c.name as campaign, v.employee_id, e.name as employee, v.team_id, t.name as team,
    v.answers, v.scored, v.score_sum, v.started_at, v.last_message_at, v.finished_at
from conversations as v
inner join campaigns as c on c.org_id = v.org_id and c.id = v.campaign_id
inner join employees as e on e.org_id = v.org_id and e.id = v.employee_id
inner join teams as t on t.org_id = v.org_id and t.id = v.team_id
where v.org_id = $1 and v.id < $2 and v.campaign_id = $3
order by v.id desc
limit $4;

-- src/modules/conversations/queries.ts deleteOldConversations (system)
delete from conversations
using unnest($1::bigint[], $2::bigint[]) as given (id, org_id)
where conversations.org_id = given.org_id and conversations.id = given.id;

-- src/modules/conversations/queries.ts deleteOldConversations (system)
select old.org_id, old.id
from organisations o
cross join lateral (
  select org_id, id
  from conversations
  where org_id = o.id and started_at < now() - make_interval(days => $1::int)
  order by started_at
  limit $2
) as old
limit $3;

-- src/modules/conversations/queries.ts reachOutOf (tenant)
select reach_out_id
from conversations
where org_id = $1 and id = $2;

-- src/modules/conversations/scoring.ts addScores (tenant)
update conversations as v
set (scored, score_sum) = (
  select v.scored + given.scored, v.score_sum + given.score
  from jsonb_to_record($1::jsonb -> (v.id)::text) as given (scored integer, score double precision)
)
where v.org_id = $2 and v.id = any($3::bigint[]);

-- src/modules/conversations/scoring.ts lockConversations (tenant)
select id, team_id
from conversations
where org_id = $1 and id = any($2::bigint[])
order by id
for update;

-- src/modules/conversations/scoring.ts markScored (tenant)
update messages
set unscored = false, sentiment = ($1::jsonb ->> (conversation_id || '/' || seq))::real
where org_id = $2 and conversation_id = any($3::bigint[]) and unscored and $4::jsonb ? (conversation_id || '/' || seq)
returning conversation_id, (created_at at time zone 'utc')::date::text as day, sentiment;

-- src/modules/conversations/scoring.ts scoreAnswers (system)
select org_id
from messages
where unscored and org_id > $1
order by org_id
limit 1;

-- src/modules/conversations/scoring.ts scoreAnswers (tenant)
select conversation_id, seq, body, choice
from messages
where org_id = $1 and unscored
order by conversation_id, seq
limit $2;

-- src/modules/conversations/step-in.ts (tenant)
select v.id, v.last_seq as "lastSeq", v.finished_at is not null as finished, now() as at,
    2 * (jsonb_array_length(c.questions) - v.step + 1) as "toCome"
from conversations v
join campaigns c on c.org_id = v.org_id and c.id = v.campaign_id
where v.org_id = $1 and v.reach_out_id = $2
for update of v;

-- src/modules/conversations/step-in.ts (tenant)
update conversations
set last_seq = $1, last_message_at = now()
where org_id = $2 and id = $3;
