create table tasks (
  id integer primary key,
  status text not null default 'waiting',
  outcome text,
  claim integer not null default 0,
  due_at timestamptz not null default now()
);
