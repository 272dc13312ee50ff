-- Employees, their teams, and the imports that add them.
-- Locks: none that matter, the tables are new.

create table teams (
  org_id bigint not null references organisations (id),
  id bigint generated always as identity,
  name text not null,
  -- The number of people in the team, and of those who may be sent mail. Maintained by the triggers below, so that no
  -- code that writes employees can forget it: counting 168,000 rows for each dashboard took 60 ms.
  employees integer not null default 0,
  reachable integer not null default 0,
  -- "Sales" and "sales" are one team, written as it was at first.
  name_lower text collate "C" not null generated always as (lower(name)) stored,
  primary key (org_id, id),
  unique (org_id, name_lower)
);

create table employees (
  org_id bigint not null,
  id bigint generated always as identity,
  team_id bigint not null,
  -- Under Row-Level Security PostgreSQL uses an index only for leakproof conditions: LIKE and lower() are not
  -- leakproof, comparisons of a plain column are. So the lower-case name is a column, and a prefix search is a range,
  -- in code point order.
  email text collate "C" not null,
  name text not null,
  name_lower text collate "C" not null generated always as (lower(name)) stored,
  created_at timestamptz not null default now(),
  unsubscribed_at timestamptz,
  primary key (org_id, id),
  unique (org_id, email),
  foreign key (org_id, team_id) references teams (org_id, id)
);
create index employees_by_team on employees (org_id, team_id, id);
create index employees_by_name on employees (org_id, name_lower, id);

create table imports (
  org_id bigint not null references organisations (id),
  id bigint generated always as identity,
  file_name text not null,
  status text not null default 'waiting' check (status in ('waiting', 'running', 'done', 'failed')),
  rows_read integer not null default 0,
  rows_added integer not null default 0,
  rows_updated integer not null default 0,
  rows_unchanged integer not null default 0,
  rows_rejected integer not null default 0,
  -- The first IMPORT_REJECTIONS_KEPT.
  rejections jsonb not null default '[]',
  error text,
  -- How the file was read, where it came so far: what was found out, or chosen.
  reading jsonb,
  created_at timestamptz not null default now(),
  -- If a running import has not been touched for ABANDONED_IMPORT_SECONDS, its process has died.
  touched_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (org_id, id)
);
create index imports_by_age on imports (created_at);
create index imports_running on imports (touched_at) where status = 'running';
comment on column imports.rejections is 'json: { line: number; reason: string }[]';
comment on column imports.reading is 'json: { encoding: string; encodingKnownBy: string; delimiter: string; headerLine: number | null; columns: { name: { column: number; title: string | null }[]; email: { column: number; title: string | null }; team: { column: number; title: string | null } | null } }';

create function count_teams() returns trigger language plpgsql as $$
begin
  -- Lock the teams in id order first: two imports that move people between the same teams wait instead of deadlocking.
  if tg_op = 'INSERT' then
    perform from teams where (org_id, id) in (select org_id, team_id from added) order by org_id, id for no key update;
    update teams set employees = teams.employees + change.employees, reachable = teams.reachable + change.reachable
    from (
      select org_id, team_id, count(*) as employees, count(*) filter (where unsubscribed_at is null) as reachable
      from added group by org_id, team_id
    ) as change
    where teams.org_id = change.org_id and teams.id = change.team_id;
  elsif tg_op = 'DELETE' then
    perform from teams where (org_id, id) in (select org_id, team_id from removed) order by org_id, id for no key update;
    update teams set employees = teams.employees - change.employees, reachable = teams.reachable - change.reachable
    from (
      select org_id, team_id, count(*) as employees, count(*) filter (where unsubscribed_at is null) as reachable
      from removed group by org_id, team_id
    ) as change
    where teams.org_id = change.org_id and teams.id = change.team_id;
  else
    perform from teams where (org_id, id) in (select org_id, team_id from added union select org_id, team_id from removed)
    order by org_id, id for no key update;
    update teams set employees = teams.employees + change.employees, reachable = teams.reachable + change.reachable
    from (
      select org_id, team_id, sum(one) as employees, sum(one) filter (where unsubscribed_at is null) as reachable
      from (
        select org_id, team_id, unsubscribed_at, 1 as one from added
        union all
        select org_id, team_id, unsubscribed_at, -1 from removed
      ) as rows
      group by org_id, team_id
      having sum(one) <> 0 or sum(one) filter (where unsubscribed_at is null) <> 0
    ) as change
    where teams.org_id = change.org_id and teams.id = change.team_id;
  end if;
  return null;
end $$;

create trigger employees_added after insert on employees
  referencing new table as added for each statement execute function count_teams();
create trigger employees_changed after update on employees
  referencing new table as added old table as removed for each statement execute function count_teams();
create trigger employees_removed after delete on employees
  referencing old table as removed for each statement execute function count_teams();

grant select, insert on teams to tardigrade_tenant;
-- Requests may only change a team's counts.
grant update (employees, reachable) on teams to tardigrade_tenant;
grant select, insert, update on employees, imports to tardigrade_tenant;
grant delete on employees to tardigrade_tenant; -- erasure
grant select, update, delete on imports to tardigrade_system; -- imports whose process died, and retention

select isolate_tenant('teams'), isolate_tenant('employees'), isolate_tenant('imports');
