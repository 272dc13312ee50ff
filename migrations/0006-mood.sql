-- The mood of each team by day.
-- Locks: none that matter, the table is new.

-- Updated by the transaction that stores an answer.
create table mood_days (
  org_id bigint not null,
  day date not null,
  team_id bigint not null,
  answers integer not null,
  score_sum real not null,
  primary key (org_id, day, team_id),
  foreign key (org_id, team_id) references teams (org_id, id) on delete cascade
) with (fillfactor = 70);

grant select, insert, update on mood_days to tardigrade_tenant;

select isolate_tenant('mood_days');
