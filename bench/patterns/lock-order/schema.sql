create table stock (
  item integer primary key,
  units integer not null
);
