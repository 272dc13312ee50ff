-- The statements that are sent to PostgreSQL, each with the function that sends it and the roles it runs as.
-- Written by npm run queries and planned by planned.test.ts; not to be changed by hand.

-- src/modules/employees/erasure.ts (tenant)
delete from employees
where org_id = $1 and id = $2
returning id;

-- src/modules/employees/import-queries.ts claimImport (tenant)
update imports
set status = $1, touched_at = now()
where org_id = $2 and id = $3 and status = $4
returning file_name;

-- src/modules/employees/import-queries.ts failRunningImports (system)
update imports
set status = 'failed', finished_at = now(), error = $1
where (org_id, id) in (
  select org_id, id
  from imports
  where status = 'running' and touched_at < now() - make_interval(secs => $2::int)
  limit $3
  for update skip locked
);

-- src/modules/employees/import-queries.ts finishImport (tenant)
update imports
set status = $1, error = $2, reading = $3, finished_at = now()
where org_id = $4 and id = $5 and status = $6
returning file_name as "fileName", rows_added as added, rows_updated as updated, rows_rejected as rejected;

-- src/modules/employees/import-queries.ts importById (tenant)
select id, file_name, status, rows_read, rows_added, rows_updated, rows_unchanged, rows_rejected, rejections, error,
    reading, created_at, finished_at
from imports
where org_id = $1 and id = $2;

-- src/modules/employees/import-queries.ts importsPage (tenant)
select id, file_name, status, rows_read, rows_added, rows_updated, rows_unchanged, rows_rejected, rejections, error,
    reading, created_at, finished_at
from imports
where org_id = $1 and id < $2
order by id desc
limit $3;

-- src/modules/employees/import-queries.ts insertImport (tenant)
insert into imports (org_id, file_name)
values ($1, $2)
returning id, file_name, status, rows_read, rows_added, rows_updated, rows_unchanged, rows_rejected, rejections, error,
    reading, created_at, finished_at;

-- src/modules/employees/import-queries.ts recordBatch (tenant)
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
where org_id = $9 and id = $10 and status = 'running';

-- src/modules/employees/import-queries.ts touchImport (tenant)
update imports
set touched_at = now()
where org_id = $1 and id = $2 and status = $3;

-- src/modules/employees/import-quotes.ts forgetQuotes (tenant)
with page as (
  select id
  from imports
  where org_id = $1 and id > $2
  order by id
  limit $3
), erased as (
  update imports
  set rejections = (
    select coalesce(jsonb_agg(jsonb_build_object('line', entry -> 'line', 'reason', $4::text) order by place), '[]')
    from jsonb_array_elements(rejections) with ordinality as rejection (entry, place)
  ), error = case when error is null then null else $5 end, reading = null
  where org_id = $6 and id = any(array(
    select id
    from page
  )) and ( reading is not null or error <> $7 or jsonb_path_exists(rejections, '$[*] ? (@.reason != $erased)',
      jsonb_build_object('erased', $8::text)))
)
select max(id) as last
from page;

-- src/modules/employees/person.ts employees (tenant)
select employees.id, employees.name, employees.email, teams.name as team, employees.created_at as "createdAt",
    employees.unsubscribed_at as "unsubscribedAt"
from employees
inner join teams on teams.org_id = employees.org_id and teams.id = employees.team_id
where employees.org_id = $1 and employees.id = $2;

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

-- src/modules/employees/queries.ts upsertEmployees (tenant)
insert into employees (org_id, email, name, team_id)
select distinct on (lower(email)) $1::bigint, lower(email), name, team_id
from unnest($2::text[], $3::text[], $4::bigint[], $5::integer[]) as given (email, name, team_id, nth)
order by lower(email), nth desc
on conflict (org_id, email) do update set name = excluded.name, team_id = excluded.team_id
where (employees.name, employees.team_id) is distinct from (excluded.name, excluded.team_id)
returning (xmax = 0) as added;

-- src/modules/employees/retention.ts deleteOldImports (system)
delete from imports
where (org_id, id) in (
  select org_id, id
  from imports
  where created_at < now() - make_interval(days => $1::int)
  order by created_at
  limit $2
  for update skip locked
);

-- src/modules/employees/search.ts walk (tenant)
select employees.email as key, lower($1::text) as prefix, employees.name_lower, employees.id, employees.name,
    employees.email, employees.team_id, teams.name as team, employees.unsubscribed_at, employees.created_at
from employees
inner join teams on teams.org_id = employees.org_id and teams.id = employees.team_id
where employees.org_id = $2 and employees.email >= greatest($3::text collate "C", lower($4::text))
    and employees.email < lower($5::text) || chr(1114111) and (employees.email, employees.id) > ($6, $7::bigint)
    and ($8::bigint = 0 or employees.team_id = $9::bigint)
order by employees.email, employees.id
limit $10;

-- src/modules/employees/search.ts walk (tenant)
select employees.name_lower as key, lower($1::text) as prefix, employees.name_lower, employees.id, employees.name,
    employees.email, employees.team_id, teams.name as team, employees.unsubscribed_at, employees.created_at
from employees
inner join teams on teams.org_id = employees.org_id and teams.id = employees.team_id
where employees.org_id = $2 and employees.name_lower >= greatest($3::text collate "C", lower($4::text))
    and employees.name_lower < lower($5::text) || chr(1114111) and (employees.name_lower, employees.id) > ($6,
    $7::bigint) and ($8::bigint = 0 or employees.team_id = $9::bigint)
order by employees.name_lower, employees.id
limit $10;

-- src/modules/employees/team-queries.ts addTeams (tenant)
insert into teams (org_id, name)
select $1::bigint, name
from (
  select name
  from (
    select distinct on (lower(name)) name, nth
    from unnest($2::text[]) with ordinality as given (name, nth)
    order by lower(name), nth
  ) as fresh
  order by nth
  limit greatest(0, $3::int - (
    select count(*)
    from teams
    where org_id = $4
  ))
) as first
order by lower(name)
on conflict (org_id, name_lower) do nothing;

-- src/modules/employees/team-queries.ts teams (tenant)
select teams.id, teams.name, teams.employees
from teams
where teams.org_id = $1
order by teams.name
limit $2;

-- src/modules/employees/team-queries.ts teamsByName (tenant)
with given as materialized (
  select name, lower(name) as name_lower
  from unnest($1::text[]) as names (name)
)
select given.name, team.id
from given
cross join lateral (
  select id
  from teams
  where org_id = $2 and name_lower = given.name_lower
  limit 1
) as team;
