-- What was done in an organisation, by whom and from where. Written in the transaction of what it records.
-- Append-only by grant: requests may add rows and read them, nobody may change one, and jobs may delete only rows that are
-- older than the retention (AUDIT_DAYS in src/modules/audit/limits.ts), which the restrictive policy holds even against
-- a statement that forgets its condition.
-- Locks: none that matter, the table is new.

create table audit_log (
  org_id bigint not null,
  -- In milliseconds, as JavaScript's dates and so the cursors have it.
  created_at timestamptz(3) not null default now(),
  id bigint generated always as identity,
  -- Without a foreign key: what somebody did outlives their account. Null where nobody was signed in.
  actor_id bigint,
  actor text,
  -- The prefix of the API key that was used.
  api_key text,
  network text,
  action text not null,
  -- What it was done to, in words that still say something when that is gone.
  subject text,
  details jsonb not null default '{}',
  primary key (org_id, created_at, id)
);
comment on column audit_log.details is 'json: Record<string, string | number | boolean | null>';
create index audit_log_by_action on audit_log (org_id, action, created_at, id);
create index audit_log_by_actor on audit_log (org_id, actor_id, created_at, id);
create index audit_log_by_actor_and_action on audit_log (org_id, actor_id, action, created_at, id);
create index audit_log_by_age on audit_log (created_at);

grant select, insert on audit_log to tardigrade_tenant;
grant select, insert, delete on audit_log to tardigrade_system;

select isolate_tenant('audit_log');
create policy only_old on audit_log as restrictive for delete to tardigrade_system
  using (created_at < now() - interval '400 days');
