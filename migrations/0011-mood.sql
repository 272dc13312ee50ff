-- The mood of each team by day.
-- Locks: none that matter, the table is new.

-- Updated by the transaction that scores answers, with the day of the answer (UTC).
create table mood_days (
  org_id bigint not null,
  day date not null,
  team_id bigint not null,
  answers integer not null,
  -- The mood is score_sum / scored: answers in a language that cannot be scored are in `answers` only.
  scored integer not null,
  -- NaN is greater than every number, so the upper bound refuses it.
  score_sum double precision not null check (score_sum > '-infinity' and score_sum < 'infinity'),
  primary key (org_id, day, team_id),
  foreign key (org_id, team_id) references teams (org_id, id) on delete cascade
) with (fillfactor = 70);

grant select, insert, update on mood_days to tardigrade_tenant;

select isolate_tenant('mood_days');
