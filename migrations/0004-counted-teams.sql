-- Each team knows how many people it has, and how many of them may be written to: the dashboard, the list of teams and
-- the question before a launch counted every employee each time, 60 ms for an organisation of 168,000 (40 times the
-- normal data). Kept by statement-level triggers, so that no way to write employees can forget it.
-- Locks: ACCESS EXCLUSIVE on teams and employees, for a moment; teams, a small table, is updated once.
alter table teams
  add column employees integer not null default 0,
  add column reachable integer not null default 0;

create function count_teams() returns trigger language plpgsql as $$
begin
  -- In the order of their ids first: two imports that move people between the same teams wait instead of deadlocking.
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

-- Nothing else: the counts are all that a request may change of a team.
grant update (employees, reachable) on teams to tardigrade_tenant;

update teams set (employees, reachable) = (
  select count(*), count(*) filter (where unsubscribed_at is null)
  from employees where employees.org_id = teams.org_id and employees.team_id = teams.id
);
