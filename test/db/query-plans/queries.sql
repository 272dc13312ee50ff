-- Every statement that the product sends to PostgreSQL, with the function that sends it and the roles it runs as.
-- Written by npm run queries and planned by planned.test.ts; not to be changed by hand.

-- src/db/connection-budget.ts refuseOverBudget (login)
select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int - current_setting('reserved_connections')::int as allowed;

-- src/db/migrate.ts refuseUnreachable
-- src/db/read-write-split.ts ping (login)
select 1;

-- src/db/migrate.ts refuseWrongDatabase (login)
select a.attname as "column", a.attnotnull as not_null, a.atthasdef as has_default, c.relname as "table",
    c.relkind as table_type, ns.nspname as schema, typ.typname as type, dtns.nspname as type_schema,
    col_description(a.attrelid, a.attnum) as column_description,
    pg_get_serial_sequence(quote_ident(ns.nspname) || '.' || quote_ident(c.relname), a.attname) as auto_incrementing
from pg_catalog.pg_attribute as a
inner join pg_catalog.pg_class as c on a.attrelid = c.oid
inner join pg_catalog.pg_namespace as ns on c.relnamespace = ns.oid
inner join pg_catalog.pg_type as typ on a.atttypid = typ.oid
inner join pg_catalog.pg_namespace as dtns on typ.typnamespace = dtns.oid
where c.relkind in ($1, $2, $3, $4) and ns.nspname !~ $5 and ns.nspname != $6 and ns.nspname != $7
    and has_schema_privilege(ns.nspname, 'USAGE') and a.attnum >= $8 and a.attisdropped != $9
order by ns.nspname, c.relname, a.attnum;

-- src/db/read-write-split.ts positionAfterCommit (system, tenant)
select pg_current_wal_insert_lsn()::text as position;

-- src/http/authentication.ts create (system, tenant)
insert into sessions (token_hash, org_id, user_id, expires_at)
values ($1, $2, $3, $4);

-- src/http/authentication.ts end (tenant)
delete from sessions
where token_hash = $1;

-- src/http/authentication.ts read (system)
select users.org_id, users.id, users.role
from sessions
inner join users on users.org_id = sessions.org_id and users.id = sessions.user_id
where sessions.token_hash = $1 and sessions.expires_at > now();

-- src/modules/campaigns/ledger.ts claimReachOuts (tenant)
with due as (
  select id
  from reach_outs
  where org_id = $1 and campaign_id = $2 and due_at <= now() and (
    select status
    from campaigns
    where org_id = $3 and id = $4
  ) = 'sending'
  order by due_at, id
  limit $5
  for update skip locked
)
update reach_outs as r
set status = 'sending', attempts = r.attempts + 1, due_at = now() + make_interval(secs => $6)
from employees e
where r.org_id = $7 and r.id = any(array(
  select id
  from due
)) and e.org_id = r.org_id and e.id = r.employee_id
returning r.id, r.attempts, e.email, e.name, e.unsubscribed_at is not null as unsubscribed,
    old.status = 'sending' as interrupted;

-- src/modules/campaigns/ledger.ts expandLedger (tenant)
select expanded_to
from campaigns
where org_id = $1 and id = $2
for update;

-- src/modules/campaigns/ledger.ts expandLedger (tenant)
update campaign_progress
set recipients = recipients + $1
where org_id = $2 and campaign_id = $3;

-- src/modules/campaigns/ledger.ts expandLedger (tenant)
update campaigns
set expanded_to = $1
where org_id = $2 and id = $3;

-- src/modules/campaigns/ledger.ts expandLedger (tenant)
with page as (
  select id, unsubscribed_at
  from employees
  where org_id = $1 and id > $2
  order by id
  limit $3
), added as (
  insert into reach_outs (org_id, campaign_id, employee_id)
  select $4::bigint, $5::bigint, id
  from page
  where unsubscribed_at is null
  order by id
  on conflict (org_id, campaign_id, employee_id) do nothing
  returning 1
)
select (
  select count(*)
  from added
) as added, (
  select count(*)
  from page
) as read, (
  select max(id)
  from page
) as last;

-- src/modules/campaigns/ledger.ts finishCampaign (tenant)
update campaigns
set status = $1, finished_at = now()
where org_id = $2 and id = $3 and status = $4;

-- src/modules/campaigns/ledger.ts nextDueMs (tenant)
select extract(epoch from due_at - now())::float8 * 1000 as ms
from reach_outs
where org_id = $1 and campaign_id = $2 and due_at is not null
order by due_at
limit $3;

-- src/modules/campaigns/ledger.ts recordReachOuts (tenant)
with given as materialized (
  select *
  from unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::boolean[], $6::boolean[]) as given (id,
      status, error, due_at, untried, twice)
), written as (
  update reach_outs as r
  set status = given.status, error = given.error, due_at = given.due_at, attempts = r.attempts - given.untried::int,
      sent_at = case when given.status = 'sent' then now() else r.sent_at end
  from given
  where r.org_id = $7 and r.id = any(array(
    select id
    from given
  )) and r.id = given.id and r.status = 'sending'
  returning given.status, given.twice
)
update campaign_progress
set sent = sent + (
  select count(*)
  from written
  where status = 'sent'
), failed = failed + (
  select count(*)
  from written
  where status = 'failed'
), skipped = skipped + (
  select count(*)
  from written
  where status = 'skipped'
), possibly_twice = possibly_twice + (
  select count(*)
  from written
  where twice
)
where org_id = $8 and campaign_id = $9;

-- src/modules/campaigns/ledger.ts sendingCampaign (tenant)
select campaigns.subject, campaigns.body, campaigns.expanded_to, organisations.name as organisation
from campaigns
inner join organisations on organisations.id = campaigns.org_id
where campaigns.org_id = $1 and campaigns.id = $2 and campaigns.status = $3;

-- src/modules/campaigns/ledger.ts sendingCampaigns (system)
select org_id, id
from campaigns
where status = 'sending'
order by id
limit $1;

-- src/modules/campaigns/queries.ts campaignById (tenant)
select campaigns.id, campaigns.name, campaigns.subject, campaigns.body, campaigns.questions, campaigns.status,
    campaigns.launch_at, campaigns.cron, campaigns.time_zone, campaigns.parent_id, campaigns.launched_at,
    campaigns.finished_at, campaigns.created_at, progress.recipients, progress.sent, progress.failed, progress.skipped,
    progress.possibly_twice, progress.opened, progress.finished, progress.answers
from campaigns
inner join campaign_progress as progress on progress.org_id = campaigns.org_id and progress.campaign_id = campaigns.id
where campaigns.org_id = $1 and campaigns.id = $2;

-- src/modules/campaigns/queries.ts campaignsPage (tenant)
select campaigns.id, campaigns.name, campaigns.subject, campaigns.body, campaigns.questions, campaigns.status,
    campaigns.launch_at, campaigns.cron, campaigns.time_zone, campaigns.parent_id, campaigns.launched_at,
    campaigns.finished_at, campaigns.created_at, progress.recipients, progress.sent, progress.failed, progress.skipped,
    progress.possibly_twice, progress.opened, progress.finished, progress.answers
from campaigns
inner join campaign_progress as progress on progress.org_id = campaigns.org_id and progress.campaign_id = campaigns.id
where campaigns.org_id = $1 and campaigns.id < $2
order by campaigns.id desc
limit $3;

-- src/modules/campaigns/queries.ts countScheduled (tenant)
select id
from campaigns
where org_id = $1 and status = $2
limit $3;

-- src/modules/campaigns/queries.ts insertCampaign (system, tenant)
insert into campaign_progress (org_id, campaign_id)
values ($1, $2);

-- src/modules/campaigns/queries.ts insertCampaign (system, tenant)
insert into campaigns (org_id, name, subject, body, questions)
values ($1, $2, $3, $4, $5)
returning id;

-- src/modules/campaigns/queries.ts markCancelled (tenant)
update campaigns
set status = $1, finished_at = now()
where org_id = $2 and id = $3 and status in ($4, $5, $6);

-- src/modules/campaigns/queries.ts markDraftChanged (tenant)
update campaigns
set name = $1, subject = subject, body = body, questions = questions
where org_id = $2 and id = $3 and status = $4;

-- src/modules/campaigns/queries.ts markDraftChanged (tenant)
update campaigns
set name = name, subject = $1, body = body, questions = $2
where org_id = $3 and id = $4 and status = $5;

-- src/modules/campaigns/queries.ts markDraftChanged (tenant)
update campaigns
set name = name, subject = $1, body = body, questions = questions
where org_id = $2 and id = $3 and status = $4;

-- src/modules/campaigns/queries.ts markLaunched (system, tenant)
update campaigns
set status = $1, launched_at = now(), link_expires_at = now() + make_interval(days => $2::int)
where org_id = $3 and id = $4 and status in ($5, $6) and cron is null;

-- src/modules/campaigns/queries.ts markScheduled (tenant)
update campaigns
set status = $1, launch_at = $2, cron = $3, time_zone = $4
where org_id = $5 and id = $6 and status in ($7, $8);

-- src/modules/campaigns/queries.ts reachOutsPage (tenant)
select reach_outs.id, reach_outs.employee_id, employees.name, employees.email, reach_outs.status, reach_outs.attempts,
    reach_outs.sent_at, reach_outs.error
from reach_outs
inner join employees on employees.org_id = reach_outs.org_id and employees.id = reach_outs.employee_id
where reach_outs.org_id = $1 and reach_outs.campaign_id = $2 and reach_outs.id > $3
order by reach_outs.id
limit $4;

-- src/modules/campaigns/queries.ts reachOutsPage (tenant)
select reach_outs.id, reach_outs.employee_id, employees.name, employees.email, reach_outs.status, reach_outs.attempts,
    reach_outs.sent_at, reach_outs.error
from reach_outs
inner join employees on employees.org_id = reach_outs.org_id and employees.id = reach_outs.employee_id
where reach_outs.org_id = $1 and reach_outs.campaign_id = $2 and reach_outs.id > $3 and reach_outs.status = $4
order by reach_outs.id
limit $5;

-- src/modules/campaigns/queries.ts recipientsOf (tenant)
select sum(reachable) as count
from teams
where org_id = $1;

-- src/modules/campaigns/scheduled-launches.ts launchNext (system)
select *
from campaigns
where status = 'scheduled' and launch_at <= now()
order by launch_at
limit $1
for update skip locked;

-- src/modules/campaigns/scheduled-launches.ts launchNext (system)
update campaigns
set launch_at = $1
where org_id = $2 and id = $3;

-- src/modules/campaigns/scheduled-launches.ts launchNext (system)
update campaigns
set parent_id = $1, launch_at = $2, time_zone = $3
where org_id = $4 and id = $5;

-- src/modules/campaigns/unsubscribe.ts unsubscribe (tenant)
update employees
set unsubscribed_at = coalesce(unsubscribed_at, now())
where org_id = $1 and id = (
  select employee_id
  from reach_outs
  where org_id = $2 and id = $3
);

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
insert into mood_days (org_id, day, team_id, answers, score_sum)
select $1::bigint, (now() at time zone 'utc')::date, given.team_id, given.answers, given.score
from unnest($2::bigint[], $3::integer[], $4::real[]) as given (team_id, answers, score)
on conflict (org_id, day, team_id) do update set answers = mood_days.answers + excluded.answers,
    score_sum = mood_days.score_sum + excluded.score_sum;

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

-- src/modules/conversations/queries.ts addToProgress (tenant)
update campaign_progress as p
set opened = p.opened + given.opened, answers = p.answers + given.answers, finished = p.finished + given.finished
from unnest($1::bigint[], $2::integer[], $3::integer[], $4::integer[]) as given (campaign_id, opened, answers, finished)
where p.org_id = $5 and p.campaign_id = any($6::bigint[]) and p.campaign_id = given.campaign_id;

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

-- src/modules/dashboard/queries.ts moodByDay (tenant)
select m.team_id, t.name as team, m.day::text as day, sum(m.answers)::int as answers,
    round((sum(m.score_sum) / sum(m.answers))::numeric, 3)::float8 as mood
from mood_days m
join teams t on t.org_id = m.org_id and t.id = m.team_id
where m.org_id = $1 and m.day between $2::date and $3::date
group by grouping sets ((m.day), (m.team_id, t.name, m.day))
having sum(m.answers) >= $4
order by t.name nulls first, m.team_id, m.day
limit $5;

-- src/modules/dashboard/queries.ts summary (tenant)
with moods as (
  select day, sum(answers) as answers, sum(score_sum) / sum(answers) as mood
  from mood_days
  where org_id = $1 and day in ((now() at time zone 'utc')::date, (now() at time zone 'utc')::date - 7)
  group by day
)
select counted.employees, counted.teams, (
  select count(*)
  from campaigns
  where org_id = $2 and status = 'sending'
) as "campaignsSending", (
  select count(*)
  from conversations
  where org_id = $3 and started_at > now() - interval '1 day' and finished_at is null
) as "openConversations", coalesce((
  select answers
  from moods
  where day = (now() at time zone 'utc')::date
), 0)::int as "answersToday", (
  select mood
  from moods
  where day = (now() at time zone 'utc')::date and answers >= $4
)::float8 as "moodToday", (
  select mood
  from moods
  where day = (now() at time zone 'utc')::date - 7 and answers >= $5
)::float8 as "moodWeekAgo"
from (
  select coalesce(sum(employees), 0)::int as employees, count(*) as teams
  from teams
  where org_id = $6
) as counted;

-- src/modules/employees/queries.ts addTeams (tenant)
insert into teams (org_id, name)
select $1::bigint, name
from unnest($2::text[]) as given (name)
on conflict (org_id, name) do nothing;

-- src/modules/employees/queries.ts claimImport (tenant)
update imports
set status = $1, touched_at = now()
where org_id = $2 and id = $3 and status = $4;

-- src/modules/employees/queries.ts employeesPage (tenant)
select employees.id, employees.name, employees.email, employees.team_id, teams.name as team, employees.unsubscribed_at,
    employees.created_at
from employees
inner join teams on teams.org_id = employees.org_id and teams.id = employees.team_id
where employees.org_id = $1 and employees.id > $2
order by employees.id
limit $3;

-- src/modules/employees/queries.ts employeesPage (tenant)
select employees.id, employees.name, employees.email, employees.team_id, teams.name as team, employees.unsubscribed_at,
    employees.created_at
from employees
inner join teams on teams.org_id = employees.org_id and teams.id = employees.team_id
where employees.org_id = $1 and employees.id > $2 and employees.team_id = $3
order by employees.id
limit $4;

-- src/modules/employees/queries.ts failRunningImports (system)
update imports
set status = 'failed', finished_at = now(),
    error = 'The import was interrupted. What it had read is kept; send the file again, nobody is added twice.'
where (org_id, id) in (
  select org_id, id
  from imports
  where status = 'running' and touched_at < now() - interval '2 minutes'
  limit 100
);

-- src/modules/employees/queries.ts finishImport (tenant)
update imports
set status = $1, error = $2, finished_at = now()
where org_id = $3 and id = $4;

-- src/modules/employees/queries.ts importById (tenant)
select id, file_name, status, rows_read, rows_added, rows_updated, rows_unchanged, rows_rejected, rejections, error,
    created_at, finished_at
from imports
where org_id = $1 and id = $2;

-- src/modules/employees/queries.ts importsPage (tenant)
select id, file_name, status, rows_read, rows_added, rows_updated, rows_unchanged, rows_rejected, rejections, error,
    created_at, finished_at
from imports
where org_id = $1 and id < $2
order by id desc
limit $3;

-- src/modules/employees/queries.ts insertImport (tenant)
insert into imports (org_id, file_name)
values ($1, $2)
returning id, file_name, status, rows_read, rows_added, rows_updated, rows_unchanged, rows_rejected, rejections, error,
    created_at, finished_at;

-- src/modules/employees/queries.ts recordBatch (tenant)
update imports
set rows_read = rows_read + $1::int, rows_added = rows_added + $2::int, rows_updated = rows_updated + $3::int,
    rows_unchanged = rows_unchanged + $4::int, rows_rejected = rows_rejected + $5::int,
    rejections = case when jsonb_array_length(rejections) >= $6::int then rejections else (
  select coalesce(jsonb_agg(entry), '[]')
  from (
    select entry
    from jsonb_array_elements(rejections || $7::jsonb) as entry
    limit $8::int
  ) as kept
) end, touched_at = now()
where org_id = $9 and id = $10;

-- src/modules/employees/queries.ts teamsByName (tenant)
select id, name
from teams
where org_id = $1
limit $2;

-- src/modules/employees/queries.ts upsertEmployees (tenant)
insert into employees (org_id, email, name, team_id)
select $1::bigint, email, name, team_id
from unnest($2::text[], $3::text[], $4::bigint[]) as given (email, name, team_id)
on conflict (org_id, email) do update set name = excluded.name, team_id = excluded.team_id
where (employees.name, employees.team_id) is distinct from (excluded.name, excluded.team_id)
returning (xmax = 0) as added;

-- src/modules/employees/search.ts walk (tenant)
select employees.email as key, employees.name_lower, employees.id, employees.name, employees.email, employees.team_id,
    teams.name as team, employees.unsubscribed_at, employees.created_at
from employees
inner join teams on teams.org_id = employees.org_id and teams.id = employees.team_id
where employees.org_id = $1 and employees.email >= $2 and employees.email < $3 and (employees.email,
    employees.id) > ($4, $5::bigint) and ($6::bigint = 0 or employees.team_id = $7::bigint)
order by employees.email, employees.id
limit $8;

-- src/modules/employees/search.ts walk (tenant)
select employees.name_lower as key, employees.name_lower, employees.id, employees.name, employees.email,
    employees.team_id, teams.name as team, employees.unsubscribed_at, employees.created_at
from employees
inner join teams on teams.org_id = employees.org_id and teams.id = employees.team_id
where employees.org_id = $1 and employees.name_lower >= $2 and employees.name_lower < $3 and (employees.name_lower,
    employees.id) > ($4, $5::bigint) and ($6::bigint = 0 or employees.team_id = $7::bigint)
order by employees.name_lower, employees.id
limit $8;

-- src/modules/operations/queries.ts databaseState (system)
select (
  select sum(numbackends)
  from pg_stat_database
)::int as connections, current_setting('max_connections')::int as "connectionsMax",
    pg_database_size(current_database()) as "sizeBytes", (
  select count(*)
  from (
    select 1
    from outbox
    limit 10000
  ) as waiting
) as "outboxWaiting", (
  select max(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), replay_lsn))::bigint
  from pg_stat_replication
) as "replicaLagBytes";

-- src/modules/organisations/queries.ts insertOrganisation (system)
insert into organisations (name)
values ($1)
returning id, name;

-- src/modules/organisations/queries.ts insertOrganisation (system)
insert into users (org_id, email, name, role, password_hash)
values ($1, $2, $3, $4, $5)
returning id, name, email, role;

-- src/modules/organisations/queries.ts me (tenant)
select users.id, users.name, users.email, users.role, organisations.name as organisation
from users
inner join organisations on organisations.id = users.org_id
where users.org_id = $1 and users.id = $2;

-- src/modules/organisations/queries.ts teams (tenant)
select teams.id, teams.name, teams.employees
from teams
where teams.org_id = $1
order by teams.name
limit $2;

-- src/modules/organisations/queries.ts userByEmail (system)
select users.org_id, users.id, users.name, users.email, users.role, users.password_hash,
    organisations.name as organisation
from users
inner join organisations on organisations.id = users.org_id
where users.email = $1;

-- src/queue/transactional-outbox.ts (system)
delete from outbox
where id in (
  select id
  from outbox
  order by id
  limit $1
  for update skip locked
)
returning id, org_id, topic, payload;

-- src/queue/transactional-outbox.ts writeToOutbox (system, tenant)
insert into outbox (org_id, topic, payload)
values ($1, $2, $3);
