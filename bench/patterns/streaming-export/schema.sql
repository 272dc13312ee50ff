create table events (
  id integer generated always as identity primary key,
  at timestamptz not null,
  kind text not null,
  detail text not null
);
