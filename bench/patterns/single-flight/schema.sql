create table answers (
  id integer generated always as identity primary key,
  score integer not null
);
