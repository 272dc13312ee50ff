create table rooms (
  id integer primary key,
  votes integer not null default 0
) with (fillfactor = 50);

create table votes (
  room integer not null references rooms (id),
  voter integer not null,
  choice text not null,
  primary key (room, voter)
);
