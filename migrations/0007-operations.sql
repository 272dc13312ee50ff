-- What the mailers know of the deployment itself: which alerts hold, so that each is told once whatever restarts, and
-- when the last backup was taken. They belong to no organisation, so no request may see them: only jobs are granted.
-- Locks: none that matter, the tables are new.

create table alerts (
  rule text not null,
  -- The kind of process that it is about.
  process text not null,
  value double precision not null,
  detail text not null,
  since timestamptz not null,
  -- When it had lasted for long enough, and when somebody was told.
  fired_at timestamptz,
  told_at timestamptz,
  -- Since when it no longer holds, and when that had lasted for long enough.
  clear_since timestamptz,
  over_at timestamptz,
  -- A mailer has taken it upon itself to tell.
  telling_since timestamptz,
  primary key (rule, process)
);

-- One row for each backup that has succeeded, written by whatever took it:
-- insert into backups (kind, bytes) values ('full', 123456789);
create table backups (
  id bigint generated always as identity primary key,
  finished_at timestamptz not null default now(),
  kind text not null,
  bytes bigint
);
create index backups_by_time on backups (finished_at);

-- Processes that were asked to stop, so that none of them is taken for one that died when Redis could not be told.
create table asked_stops (
  -- The kind of process, its host, its pid and when it was started.
  life text primary key,
  stopped_at timestamptz not null default now()
);
create index asked_stops_by_time on asked_stops (stopped_at);

grant select, insert, update, delete on alerts to tardigrade_system;
grant select, insert, delete on backups to tardigrade_system;
grant select, insert, delete on asked_stops to tardigrade_system;
