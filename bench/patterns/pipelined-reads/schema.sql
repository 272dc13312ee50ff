create table items (
  id integer primary key,
  name text not null
);
grant select on items to tardigrade_system;
