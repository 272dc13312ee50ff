-- The second wall between organisations: PostgreSQL itself shows a statement one organisation's rows only, whatever its
-- WHERE says. Two roles that cannot sign in carry the rights; a process signs in as a role that has none, and takes one
-- of the two for each transaction, together with the organisation (src/db/tenant-isolation.ts).
-- Without the organisation current_setting() raises an error: it fails closed, and loudly.
-- Locks: ACCESS EXCLUSIVE on each table, for a moment; no row is read or written.

-- Roles belong to the whole server: another database of it may have made them already.
do $$
declare
  name text;
begin
  foreach name in array array['tardigrade_tenant', 'tardigrade_system'] loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I nologin', name);
    end if;
    -- Where the processes sign in with this very role (one DATABASE_URL for everything), they must be able to take it.
    if not pg_has_role(current_user, name, 'set') then
      begin
        execute format('grant %I to current_user with inherit false, set true', name);
      exception when insufficient_privilege then
        raise notice '% may not take the role %; the role of DATABASE_URL must', current_user, name;
      end;
    end if;
  end loop;
exception when insufficient_privilege then
  raise exception 'The roles tardigrade_tenant and tardigrade_system are missing, and % may not create roles.', current_user
    using hint = 'As an administrator: create role tardigrade_tenant nologin; create role tardigrade_system nologin;';
end $$;

-- One organisation's requests. What is not named here, no request does.
grant select on organisations, users to tardigrade_tenant;
grant insert, delete on sessions to tardigrade_tenant;
grant select (token_hash, org_id) on sessions to tardigrade_tenant;
grant select, insert on teams, messages to tardigrade_tenant;
grant select, insert, update on employees, imports, campaigns, campaign_progress, reach_outs, conversations, mood_days
  to tardigrade_tenant;
grant insert on outbox to tardigrade_tenant;

-- What comes before the organisation is known (registration, sign-in, a session's owner), and the jobs that look after
-- all organisations: launches that are due, campaigns that stand still, the outbox, retention.
grant select, insert on organisations, users, campaign_progress to tardigrade_system;
grant select, insert, delete on sessions, outbox to tardigrade_system;
grant update on outbox to tardigrade_system; -- for its FOR UPDATE
grant select, insert, update on campaigns to tardigrade_system;
grant select, update on imports to tardigrade_system;
grant select, delete on conversations to tardigrade_system;

-- A process looks whether the schema is the one it knows before it takes any role.
grant select on kysely_migration, kysely_migration_lock to public;

do $$
declare
  name text;
begin
  foreach name in array array['users', 'sessions', 'teams', 'employees', 'imports', 'campaigns', 'campaign_progress',
                              'reach_outs', 'conversations', 'messages', 'mood_days', 'outbox'] loop
    execute format('alter table %I enable row level security, force row level security', name);
    execute format('create policy tenant on %I to tardigrade_tenant using (org_id = current_setting(''app.org'')::bigint)', name);
    execute format('create policy system on %I to tardigrade_system using (true)', name);
  end loop;
end $$;

-- The one table whose organisation is its own id.
alter table organisations enable row level security, force row level security;
create policy tenant on organisations to tardigrade_tenant using (id = current_setting('app.org')::bigint);
create policy system on organisations to tardigrade_system using (true);
