-- The statements that are sent to PostgreSQL, each with the function that sends it and the roles it runs as.
-- Written by npm run queries and planned by planned.test.ts; not to be changed by hand.

-- src/modules/conversations/answer-export.ts exportPage (tenant)
with page as (
  select id, started_at, campaign_id, employee_id, team_id
  from conversations
  where org_id = $1 and started_at < $2::timestamptz and (started_at, id) > ($3::timestamptz, $4::bigint)
  order by started_at, id
  limit $5
)
select page.id, page.started_at, a.seq, a.created_at as at, c.name as campaign, t.name as team, e.name as employee,
    e.email, q.body as question, a.body, a.sentiment
from page
join campaigns c on c.org_id = $6 and c.id = page.campaign_id
join employees e on e.org_id = $7 and e.id = page.employee_id
join teams t on t.org_id = $8 and t.id = page.team_id
left join messages a on a.org_id = $9 and a.conversation_id = page.id and a.sender = 'employee'
left join messages q on q.org_id = $10 and q.conversation_id = page.id and q.seq = a.seq - 1
order by page.started_at, page.id, a.seq;

-- src/modules/conversations/answers.ts storeAnswers (tenant)
select given.conversation_id, given.nonce, m.seq
from unnest($1::bigint[], $2::text[]) as given (conversation_id, nonce)
cross join lateral (
  select seq
  from messages
  where org_id = $3 and conversation_id = given.conversation_id and nonce = given.nonce
  limit 1
) as m;

-- src/modules/conversations/answers.ts storeAnswers (tenant)
select v.id, v.campaign_id as "campaignId", v.team_id as "teamId", v.last_seq as "lastSeq", v.step,
    v.finished_at is not null as finished, c.questions, now() as at
from conversations v
join campaigns c on c.org_id = v.org_id and c.id = v.campaign_id
where v.org_id = $1 and v.id = any($2::bigint[])
order by v.id
for update of v;

-- src/modules/conversations/answers.ts storeAnswers (tenant)
update conversations as v
set last_seq = given.last_seq, step = given.step, answers = v.answers + given.answers,
    score_sum = v.score_sum + given.score, last_message_at = now(),
    finished_at = case when given.finished then now() end
from unnest($1::bigint[], $2::integer[], $3::integer[], $4::integer[], $5::real[], $6::boolean[]) as given (id,
    last_seq, step, answers, score, finished)
where v.org_id = $7 and v.id = any($8::bigint[]) and v.id = given.id;

-- src/modules/conversations/conversations.ts createConversations (tenant)
insert into conversations (org_id, reach_out_id, campaign_id, employee_id, team_id, last_seq, step)
select $1::bigint, given.*, 1, 1
from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) as given (reach_out_id, campaign_id, employee_id,
    team_id)
on conflict (org_id, reach_out_id) do nothing
returning id, reach_out_id;

-- src/modules/conversations/conversations.ts invitationsOf (tenant)
select r.id as "reachOutId", c.id as "campaignId", c.name as campaign, cardinality(c.questions) as questions,
    c.questions[1] as "firstQuestion", coalesce(c.link_expires_at <= now(), true) as expired, e.id as "employeeId",
    e.team_id as "teamId", e.name, o.name as organisation, v.id as "conversationId"
from reach_outs r
join campaigns c on c.org_id = r.org_id and c.id = r.campaign_id
join employees e on e.org_id = r.org_id and e.id = r.employee_id
join organisations o on o.id = r.org_id
left join conversations v on v.org_id = r.org_id and v.reach_out_id = r.id
where r.org_id = $1 and r.id = any($2::bigint[]);

-- src/modules/conversations/conversations.ts statesOf (tenant)
select given.nth, v.id, v.last_seq as "lastSeq", v.finished_at is not null as finished, m.seq, m.sender, m.body,
    m.created_at as at, m.nonce
from unnest($1::integer[], $2::bigint[], $3::integer[]) as given (nth, reach_out_id, last_seq)
join conversations v on v.org_id = $4 and v.reach_out_id = any($5::bigint[]) and v.reach_out_id = given.reach_out_id
left join lateral (
  select *
  from messages
  where org_id = $6 and conversation_id = v.id and seq > given.last_seq
  order by seq
  limit $7
) as m on true
order by given.nth, m.seq;

-- src/modules/conversations/queries.ts addMessages (tenant)
insert into messages (org_id, conversation_id, seq, sender, nonce, body, sentiment)
select $1::bigint, given.*
from unnest($2::bigint[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::real[]) as given (conversation_id,
    seq, sender, nonce, body, sentiment);

-- src/modules/conversations/queries.ts conversationById (tenant)
select seq, sender, body, sentiment, created_at as at
from messages
where org_id = $1 and conversation_id = $2
order by seq
limit $3;

-- src/modules/conversations/queries.ts conversationById (tenant)
select v.id, v.campaign_id, c.name as campaign, v.employee_id, e.name as employee, v.team_id, t.name as team,
    v.answers, v.score_sum, v.started_at, v.last_message_at, v.finished_at
from conversations as v
inner join campaigns as c on c.org_id = v.org_id and c.id = v.campaign_id
inner join employees as e on e.org_id = v.org_id and e.id = v.employee_id
inner join teams as t on t.org_id = v.org_id and t.id = v.team_id
where v.org_id = $1 and v.id = $2;

-- src/modules/conversations/queries.ts conversationsPage (tenant)
select v.id, v.campaign_id, c.name as campaign, v.employee_id, e.name as employee, v.team_id, t.name as team,
    v.answers, v.score_sum, v.started_at, v.last_message_at, v.finished_at
from conversations as v
inner join campaigns as c on c.org_id = v.org_id and c.id = v.campaign_id
inner join employees as e on e.org_id = v.org_id and e.id = v.employee_id
inner join teams as t on t.org_id = v.org_id and t.id = v.team_id
where v.org_id = $1 and v.id < $2
order by v.id desc
limit $3;

-- src/modules/conversations/queries.ts conversationsPage (tenant)
select v.id, v.campaign_id, c.name as campaign, v.employee_id, e.name as employee, v.team_id, t.name as team,
    v.answers, v.score_sum, v.started_at, v.last_message_at, v.finished_at
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
