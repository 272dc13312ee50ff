-- The statements that are sent to PostgreSQL, each with the function that sends it and the roles it runs as.
-- Written by npm run queries and planned by planned.test.ts; not to be changed by hand.

-- src/http/optimistic-concurrency.ts workOnSeen (tenant)
select version
from campaigns
where org_id = $1 and id = $2
for no key update;

-- src/modules/campaigns/campaigns.ts addToProgress (tenant)
update campaign_progress as p
set (opened, answers, finished) = (
  select p.opened + given.opened, p.answers + given.answers, p.finished + given.finished
  from jsonb_to_record($1::jsonb -> (p.campaign_id)::text) as given (opened integer, answers integer, finished integer)
)
where p.org_id = $2 and p.campaign_id = any($3::bigint[]);

-- src/modules/campaigns/expansion.ts employeesPage (tenant)
select id, email, unsubscribed_at is null as reachable
from employees
where org_id = $1 and id > $2
order by id
limit $3;

-- src/modules/campaigns/expansion.ts startPlace (tenant)
select expand_position as "expandPosition"
from campaigns
where org_id = $1 and id = $2;

-- src/modules/campaigns/expansion.ts startPlace (tenant)
update campaigns
set expand_awaits = $1, expand_position = (
  select (pg_split_walfile_name(pg_walfile_name(lsn))).timeline_id || ':' || lsn
  from pg_current_wal_insert_lsn() as lsn
)
where org_id = $2 and id = $3 and expanded_to = $4 and ( not exists (
  select
  from pg_locks
  where locktype = 'relation' and relation = 'employees'::regclass and mode = 'RowExclusiveLock' and database = (
    select oid
    from pg_database
    where datname = current_database()
  )
) or pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= expand_awaits or launched_at < now() - make_interval(secs => 600) ) is true;

-- src/modules/campaigns/expansion.ts writePage (tenant)
select expanded_to, expand_awaits, ( not exists (
  select
  from pg_locks
  where locktype = 'relation' and relation = 'employees'::regclass and mode = 'RowExclusiveLock' and database = (
    select oid
    from pg_database
    where datname = current_database()
  )
) or pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= expand_awaits or launched_at < now() - make_interval(secs => 600) ) as all_ended
from campaigns
where org_id = $1 and id = $2
for update;

-- src/modules/campaigns/expansion.ts writePage (tenant)
update campaign_progress
set recipients = recipients + $1, skipped = skipped + $2, suppressed = suppressed + $3
where org_id = $4 and campaign_id = $5;

-- src/modules/campaigns/expansion.ts writePage (tenant)
update campaigns
set expanded_to = $1
where org_id = $2 and id = $3;

-- src/modules/campaigns/expansion.ts writePage (tenant)
update campaigns
set expanded_to = $1, expand_awaits = $2, expand_position = (
  select (pg_split_walfile_name(pg_walfile_name(lsn))).timeline_id || ':' || lsn
  from pg_current_wal_insert_lsn() as lsn
)
where org_id = $3 and id = $4;

-- src/modules/campaigns/expansion.ts writePage (tenant)
with added as (
  insert into reach_outs (org_id, campaign_id, employee_id, status, due_at, error)
  select $1::bigint, $2::bigint, employee_id, case when suppressed then 'skipped' else 'waiting' end,
      case when suppressed then null else now() end, case when suppressed then $3::text end
  from unnest($4::bigint[], $5::boolean[]) as given (employee_id, suppressed)
  on conflict (org_id, campaign_id, employee_id) do nothing
  returning status
)
select count(*) as added, count(*) filter (where status = 'skipped') as suppressed
from added;

-- src/modules/campaigns/feedback.ts addressOf (tenant)
select email
from employees
where org_id = $1 and id = $2;

-- src/modules/campaigns/feedback.ts recordBounce (tenant)
with returned as (
  update reach_outs as r
  set bounced_at = now(), error = $1, status = case when r.status = 'sent' then 'failed' else r.status end,
      cause = case when r.status in ('sent', 'failed') then 'bounced' else r.cause end
  where r.org_id = $2 and r.id = $3 and r.bounced_at is null and r.status <> 'skipped'
      and (r.attempts > 0 or r.sent_at is not null)
  returning r.campaign_id, r.employee_id, old.status as was
), counted as (
  update campaign_progress
  set sent = sent - 1, failed = failed + 1
  where org_id = $4 and campaign_id = (
    select campaign_id
    from returned
    where was = 'sent'
  )
)
select employee_id
from returned;

-- src/modules/campaigns/feedback.ts recordComplaint (tenant)
update campaign_progress
set complaints = complaints + $1
where org_id = $2 and campaign_id = $3;

-- src/modules/campaigns/feedback.ts recordComplaint (tenant)
update employees
set unsubscribed_at = coalesce(unsubscribed_at, now())
where org_id = $1 and id = $2;

-- src/modules/campaigns/feedback.ts recordComplaint (tenant)
update reach_outs
set complained_at = now()
where org_id = $1 and id = $2 and complained_at is null
returning campaign_id, employee_id;

-- src/modules/campaigns/ledger.ts claimReachOuts (tenant)
with last_due as (
  select id
  from reach_outs
  where org_id = $1 and campaign_id = $2 and due_at <= now() and (
    select status
    from campaigns
    where org_id = $3 and id = $4
  ) = 'sending'
  order by due_at desc, id desc
  limit $5
  for update skip locked
), due as (
  select id
  from reach_outs
  where org_id = $6 and campaign_id = $7 and due_at <= now() and (
    select status
    from campaigns
    where org_id = $8 and id = $9
  ) = 'sending' and id <> all(array(
    select id
    from last_due
  ))
  order by due_at, id
  limit $10
  for update skip locked
)
update reach_outs as r
set status = 'sending', attempts = r.attempts + 1, claim = r.claim + 1, due_at = now() + make_interval(secs => 30)
from employees e
where r.org_id = $11 and r.id = any(array(
  select id
  from due
  union all
  select id
  from last_due
)) and e.org_id = r.org_id and e.id = r.employee_id
returning r.id, r.employee_id as "employeeId", r.claim, r.attempts, r.held,
    e.unsubscribed_at is not null as unsubscribed, coalesce((
  select true
  from suppressions
  where suppressions.org_id = $12 and suppressions.address = e.email and suppressions.lifted_at is null
  limit 1
), false) as suppressed, old.status = 'sending' as interrupted, coalesce(r.cause = 'unconfirmed', false) as unconfirmed;

-- src/modules/campaigns/ledger.ts countStopped (system)
select count(*)::int as stopped
from (
  select
  from campaigns
  where paused_about <> 'person'
  limit $1
) as stopped;

-- src/modules/campaigns/ledger.ts extendLeases (tenant)
with given as materialized (
  select *
  from unnest($1::bigint[], $2::integer[]) as given (id, claim)
)
update reach_outs as r
set due_at = now() + make_interval(secs => 30)
from given
where r.org_id = $3 and r.id = any(array(
  select id
  from given
)) and r.id = given.id and r.claim = given.claim and r.status = 'sending';

-- src/modules/campaigns/ledger.ts finishCampaign (tenant)
update campaigns
set status = $1, finished_at = now(), paused_about = $2, paused_reason = $3, paused_at = $4, next_try_at = $5
where org_id = $6 and id = $7 and status = $8 and not exists (
  select id
  from reach_outs
  where org_id = $9 and campaign_id = $10 and due_at is not null
  limit $11
);

-- src/modules/campaigns/ledger.ts holdCampaign (tenant)
update campaigns
set paused_about = $1, paused_reason = $2, paused_at = coalesce(paused_at, now()),
    next_try_at = now() + make_interval(secs => $3::float8)
where org_id = $4 and id = $5 and status = $6;

-- src/modules/campaigns/ledger.ts isSending (tenant)
select status
from campaigns
where org_id = $1 and id = $2;

-- src/modules/campaigns/ledger.ts nextDueMs (tenant)
select least(extract(epoch from due_at - now())::float8 * 1000,
    case when status = 'sending' then 2000::float8 end) as ms
from reach_outs
where org_id = $1 and campaign_id = $2 and due_at is not null
order by due_at
limit $3;

-- src/modules/campaigns/ledger.ts recordReachOuts (tenant)
with given as materialized (
  select *
  from unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::double precision[], $7::boolean[],
      $8::boolean[], $9::boolean[], $10::boolean[]) as given (id, claim, status, error, cause, due_in_seconds, untried,
      held, twice, suppressed)
), written as (
  update reach_outs as r
  set status = case when given.status = 'sent' and r.bounced_at is not null then 'failed' else given.status end,
      error = case when given.status = 'sent' and r.bounced_at is not null then r.error else given.error end,
      cause = case when given.status = 'sent' and r.bounced_at is not null then 'bounced' else given.cause end,
      due_at = now() + make_interval(secs => given.due_in_seconds), attempts = r.attempts - given.untried::int,
      held = least(r.held + given.held::int, 1000),
      sent_at = case when given.status = 'sent' then now() else r.sent_at end
  from given
  where r.org_id = $11 and r.id = any(array(
    select id
    from given
  )) and r.id = given.id and r.claim = given.claim and r.status = 'sending'
  returning r.status, given.twice, given.suppressed
), counted as (
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
  ), suppressed = suppressed + (
    select count(*)
    from written
    where suppressed
  ), possibly_twice = possibly_twice + (
    select count(*)
    from written
    where twice
  )
  where org_id = $12 and campaign_id = $13
)
select count(*)
from written;

-- src/modules/campaigns/ledger.ts releaseCampaign (tenant)
update campaigns
set paused_about = $1, paused_reason = $2, paused_at = $3, next_try_at = $4
where org_id = $5 and id = $6 and status = $7;

-- src/modules/campaigns/ledger.ts sendingCampaign (tenant)
select campaigns.subject, campaigns.body, campaigns.expanded_to, campaigns.expand_position,
    organisations.name as organisation, extract(epoch from now() - paused_at)::float8 * 1000 as held_ms,
    coalesce(extract(epoch from next_try_at - now())::float8 * 1000, 0) as again_in_ms
from campaigns
inner join organisations on organisations.id = campaigns.org_id
where campaigns.org_id = $1 and campaigns.id = $2 and campaigns.status = $3;

-- src/modules/campaigns/ledger.ts sendingCampaigns (system)
select org_id, id
from campaigns
where status = 'sending'
order by id
limit $1;

-- src/modules/campaigns/ledger.ts stopHeldCampaign (tenant)
update campaigns
set status = $1, next_try_at = $2
where org_id = $3 and id = $4 and status = $5 and paused_at is not null;

-- src/modules/campaigns/person.ts reach_outs (tenant)
select reach_outs.id, campaigns.name as campaign, reach_outs.status, reach_outs.sent_at as "sentAt", reach_outs.error
from reach_outs
inner join campaigns on campaigns.org_id = reach_outs.org_id and campaigns.id = reach_outs.campaign_id
where reach_outs.org_id = $1 and reach_outs.employee_id = $2
limit $3;

-- src/modules/campaigns/progress-queries.ts notePace (tenant)
update campaign_progress
set per_second = case when noted_at > now() - make_interval(secs => 60) then (sent + failed + skipped - noted) / extract(epoch from now() - noted_at) end, noted = sent + failed + skipped, noted_at = now()
where org_id = $1 and campaign_id = $2 and coalesce(noted_at < now() - make_interval(secs => 5), true);

-- src/modules/campaigns/progress-queries.ts takeFromFailed (tenant)
update campaign_progress
set failed = failed - $1
where org_id = $2 and campaign_id = $3;

-- src/modules/campaigns/queries.ts areLinksValid (tenant)
select coalesce(link_expires_at > now(), false) as valid
from campaigns
where org_id = $1 and id = $2;

-- src/modules/campaigns/queries.ts campaignById (tenant)
select campaigns.id, campaigns.name, campaigns.subject, campaigns.body, campaigns.questions, campaigns.status,
    campaigns.launch_at, campaigns.cron, campaigns.time_zone, campaigns.parent_id, campaigns.launched_at,
    campaigns.finished_at, campaigns.created_at, campaigns.version, campaigns.paused_about, campaigns.paused_reason,
    campaigns.paused_at, campaigns.next_try_at, progress.recipients, progress.sent, progress.failed, progress.skipped,
    progress.suppressed, progress.complaints, progress.possibly_twice, progress.opened, progress.finished,
    progress.answers, case when campaigns.status = 'sending' and campaigns.paused_about is null
    and progress.noted_at > now() - make_interval(secs => 60) then progress.per_second end as per_second
from campaigns
inner join campaign_progress as progress on progress.org_id = campaigns.org_id and progress.campaign_id = campaigns.id
where campaigns.org_id = $1 and campaigns.id = $2;

-- src/modules/campaigns/queries.ts campaignsPage (tenant)
select campaigns.id, campaigns.name, campaigns.subject, campaigns.body, campaigns.questions, campaigns.status,
    campaigns.launch_at, campaigns.cron, campaigns.time_zone, campaigns.parent_id, campaigns.launched_at,
    campaigns.finished_at, campaigns.created_at, campaigns.version, campaigns.paused_about, campaigns.paused_reason,
    campaigns.paused_at, campaigns.next_try_at, progress.recipients, progress.sent, progress.failed, progress.skipped,
    progress.suppressed, progress.complaints, progress.possibly_twice, progress.opened, progress.finished,
    progress.answers, case when campaigns.status = 'sending' and campaigns.paused_about is null
    and progress.noted_at > now() - make_interval(secs => 60) then progress.per_second end as per_second
from campaigns
inner join campaign_progress as progress on progress.org_id = campaigns.org_id and progress.campaign_id = campaigns.id
where campaigns.org_id = $1 and campaigns.id < $2
order by campaigns.id desc
limit $3;

-- src/modules/campaigns/recipient-queries.ts failuresByCause (tenant)
select cause, count(*), count(*) filter (where suppressed) as suppressed, max(error) as example
from (
  select r.cause, r.error, coalesce((
    select true
    from suppressions
    where suppressions.org_id = $1 and suppressions.address = e.email and suppressions.lifted_at is null
    limit 1
  ), false) as suppressed
  from reach_outs r
  join employees e on e.org_id = r.org_id and e.id = r.employee_id
  where r.org_id = $2 and r.campaign_id = $3 and r.status = 'failed'
  limit $4
) as failed
group by cause
order by cause;

-- src/modules/campaigns/recipient-queries.ts reachOutsPage (tenant)
select coalesce((
  select true
  from suppressions
  where suppressions.org_id = $1 and suppressions.address = employees.email and suppressions.lifted_at is null
  limit 1
), false) as suppressed, reach_outs.id, reach_outs.employee_id, employees.name, employees.email, reach_outs.status,
    reach_outs.attempts, reach_outs.sent_at, reach_outs.error, reach_outs.cause, reach_outs.complained_at
from reach_outs
inner join employees on employees.org_id = reach_outs.org_id and employees.id = reach_outs.employee_id
where reach_outs.org_id = $2 and reach_outs.campaign_id = $3 and reach_outs.id > $4
order by reach_outs.id
limit $5;

-- src/modules/campaigns/recipient-queries.ts reachOutsPage (tenant)
select coalesce((
  select true
  from suppressions
  where suppressions.org_id = $1 and suppressions.address = employees.email and suppressions.lifted_at is null
  limit 1
), false) as suppressed, reach_outs.id, reach_outs.employee_id, employees.name, employees.email, reach_outs.status,
    reach_outs.attempts, reach_outs.sent_at, reach_outs.error, reach_outs.cause, reach_outs.complained_at
from reach_outs
inner join employees on employees.org_id = reach_outs.org_id and employees.id = reach_outs.employee_id
where reach_outs.org_id = $2 and reach_outs.campaign_id = $3 and reach_outs.id > $4 and reach_outs.status = $5
order by reach_outs.id
limit $6;

-- src/modules/campaigns/recipient-queries.ts recipientsByIds (tenant)
select id, email, name
from employees
where org_id = $1 and id = any($2::bigint[])
limit $3;

-- src/modules/campaigns/recipient-queries.ts recipientsOf (tenant)
select coalesce((
  select sum(reachable)
  from teams
  where org_id = $1
), 0) - (
  select count(*)
  from (
    select address
    from suppressions
    where org_id = $2 and lifted_at is null
    limit $3
  ) as suppressed
  join employees e on e.org_id = $4 and e.email = suppressed.address and e.unsubscribed_at is null
) as count;

-- src/modules/campaigns/recipient-queries.ts retryFailed (tenant)
select id
from reach_outs
where org_id = $1 and campaign_id = $2 and status = $3 and not exists (
  select employees.id
  from employees
  where employees.org_id = $4 and employees.id = reach_outs.employee_id and coalesce((
    select true
    from suppressions
    where suppressions.org_id = $5 and suppressions.address = employees.email and suppressions.lifted_at is null
    limit 1
  ), false)
)
order by id
limit $6
for update;

-- src/modules/campaigns/recipient-queries.ts retryFailed (tenant)
select id
from reach_outs
where org_id = $1 and campaign_id = $2 and status = $3 and not exists (
  select employees.id
  from employees
  where employees.org_id = $4 and employees.id = reach_outs.employee_id and coalesce((
    select true
    from suppressions
    where suppressions.org_id = $5 and suppressions.address = employees.email and suppressions.lifted_at is null
    limit 1
  ), false)
) and cause = $6
order by id
limit $7
for update;

-- src/modules/campaigns/recipient-queries.ts retryFailed (tenant)
select id
from reach_outs
where org_id = $1 and campaign_id = $2 and status = $3 and not exists (
  select employees.id
  from employees
  where employees.org_id = $4 and employees.id = reach_outs.employee_id and coalesce((
    select true
    from suppressions
    where suppressions.org_id = $5 and suppressions.address = employees.email and suppressions.lifted_at is null
    limit 1
  ), false)
) and id = $6
order by id
limit $7
for update;

-- src/modules/campaigns/recipient-queries.ts retryFailed (tenant)
update reach_outs
set status = $1, due_at = now(), attempts = $2, held = $3, error = $4, bounced_at = $5,
    cause = case when cause = 'unconfirmed' then cause end
where org_id = $6 and id = any($7::bigint[]);

-- src/modules/campaigns/retention.ts deleteOldCampaigns (system)
delete from campaigns
where (org_id, id) in (
  select org_id, id
  from campaigns
  where finished_at < now() - make_interval(days => $1::int)
  order by finished_at
  limit $2
  for update skip locked
);

-- src/modules/campaigns/retention.ts deleteOldReachOuts (system)
delete from reach_outs
using unnest($1::bigint[], $2::bigint[]) as given (id, org_id)
where reach_outs.org_id = given.org_id and reach_outs.id = given.id;

-- src/modules/campaigns/retention.ts deleteOldReachOuts (system)
select r.org_id, r.id
from campaigns c
join reach_outs r on r.org_id = c.org_id and r.campaign_id = c.id
where c.finished_at < now() - make_interval(days => $1::int)
limit $2;

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

-- src/modules/campaigns/state-queries.ts insertCampaign (system, tenant)
insert into campaign_progress (org_id, campaign_id)
values ($1, $2);

-- src/modules/campaigns/state-queries.ts insertCampaign (system, tenant)
insert into campaigns (org_id, name, subject, body, questions)
values ($1, $2, $3, $4, $5)
returning id;

-- src/modules/campaigns/state-queries.ts lockCampaign (tenant)
select
from campaigns
where org_id = $1 and id = $2
for no key update;

-- src/modules/campaigns/state-queries.ts lockScheduled (tenant)
select id
from campaigns
where org_id = $1 and status = $2 and id <> $3
limit $4;

-- src/modules/campaigns/state-queries.ts lockScheduled (tenant)
select pg_advisory_xact_lock(hashtextextended('scheduled campaigns of ' || $1::bigint, 0));

-- src/modules/campaigns/state-queries.ts markLaunched (system, tenant)
update campaigns
set status = $1, launched_at = now(), link_expires_at = now() + make_interval(days => $2::int), expand_position = (
  select (pg_split_walfile_name(pg_walfile_name(lsn))).timeline_id || ':' || lsn
  from pg_current_wal_insert_lsn() as lsn
), expand_awaits = pg_snapshot_xmax(pg_current_snapshot())::text::bigint, version = version + $3
where org_id = $4 and id = $5 and status in ($6, $7) and cron is null
returning name;

-- src/modules/campaigns/state-queries.ts updateCampaign (tenant)
update campaigns
set finished_at = now(), paused_about = $1, paused_reason = $2, paused_at = $3, next_try_at = $4, status = $5,
    version = version + $6
where org_id = $7 and id = $8 and status in ($9, $10, $11, $12);

-- src/modules/campaigns/state-queries.ts updateCampaign (tenant)
update campaigns
set launch_at = $1, cron = $2, time_zone = $3, status = $4, version = version + $5
where org_id = $6 and id = $7 and status in ($8, $9);

-- src/modules/campaigns/state-queries.ts updateCampaign (tenant)
update campaigns
set name = $1, status = $2, version = version + $3
where org_id = $4 and id = $5 and status in ($6);

-- src/modules/campaigns/state-queries.ts updateCampaign (tenant)
update campaigns
set paused_about = $1, paused_reason = $2, paused_at = $3, next_try_at = $4, status = $5, version = version + $6
where org_id = $7 and id = $8 and status in ($9);

-- src/modules/campaigns/state-queries.ts updateCampaign (tenant)
update campaigns
set paused_about = $1, paused_reason = $2, paused_at = now(), next_try_at = $3, status = $4, version = version + $5
where org_id = $6 and id = $7 and status in ($8);

-- src/modules/campaigns/state-queries.ts updateCampaign (tenant)
update campaigns
set status = case status when 'done' then 'sending' else status end, finished_at = $1, version = version + $2
where org_id = $3 and id = $4 and status in ($5, $6, $7);

-- src/modules/campaigns/state-queries.ts updateCampaign (tenant)
update campaigns
set subject = $1, questions = $2, status = $3, version = version + $4
where org_id = $5 and id = $6 and status in ($7);

-- src/modules/campaigns/state-queries.ts updateCampaign (tenant)
update campaigns
set subject = $1, status = $2, version = version + $3
where org_id = $4 and id = $5 and status in ($6);

-- src/modules/campaigns/unsubscribe.ts unsubscribe (tenant)
update employees
set unsubscribed_at = coalesce(unsubscribed_at, now())
where org_id = $1 and id = (
  select employee_id
  from reach_outs
  where org_id = $2 and id = $3
);
