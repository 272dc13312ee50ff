-- Notes, and the number of notes written each day.
-- Locks: none that matter, the tables are new.

create table notes (
  org_id bigint not null references organisations (id),
  id bigint generated always as identity,
  title text not null,
  body text not null,
  status text not null default 'open' check (status in ('open', 'done')),
  -- Incremented by every change (src/http/optimistic-concurrency.ts).
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (org_id, id)
);
create index notes_by_status on notes (org_id, status, id);
create index notes_done on notes (org_id, updated_at) where status = 'done';

create table note_days (
  org_id bigint not null references organisations (id),
  day date not null,
  written integer not null,
  primary key (org_id, day)
);

grant select, insert, update on notes to tardigrade_tenant;
grant select on note_days to tardigrade_tenant;
-- For retention, and for the handler of note.written.
grant select, delete on notes to tardigrade_system;
grant select, insert, update on note_days to tardigrade_system;

select isolate_tenant('notes'), isolate_tenant('note_days');
