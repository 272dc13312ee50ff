create table schedules (
  id integer primary key,
  launch_at timestamptz not null
);
create table launches (
  schedule integer not null,
  slot timestamptz not null
);
grant select, update on schedules to tardigrade_system;
grant select, insert on launches to tardigrade_system;
