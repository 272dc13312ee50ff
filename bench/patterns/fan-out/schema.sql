create table broadcasts (
  id integer primary key,
  -- The last recipient that it was delivered to.
  delivered_to integer not null default 0
);

create table recipients (
  id integer primary key
);
