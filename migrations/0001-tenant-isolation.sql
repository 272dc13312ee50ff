-- Tenant isolation in PostgreSQL itself: a statement sees the rows of one organisation only, whatever its WHERE clause.
-- Two roles that cannot log in have the privileges; a process logs in as a role that has none, and takes one of the
-- two, and the organisation, for each transaction (src/db/tenant-isolation.ts).
-- Without an organisation current_setting() raises an error: it fails closed, and loudly.
-- Locks: none, nothing exists yet.

-- Roles belong to the whole server: another database on it may already have created them.
do $$
declare
  name text;
begin
  foreach name in array array['tardigrade_tenant', 'tardigrade_system'] loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I nologin', name);
    end if;
    -- If the processes log in as the current role (one DATABASE_URL for everything), it must be able to take these
    -- roles.
    if not pg_has_role(current_user, name, 'set') then
      begin
        execute format('grant %I to current_user with inherit false, set true', name);
      exception when insufficient_privilege then
        raise notice '% cannot take the role %; the role in DATABASE_URL must be able to', current_user, name;
      end;
    end if;
  end loop;
exception when insufficient_privilege then
  raise exception 'The roles tardigrade_tenant and tardigrade_system are missing, and % is not allowed to create them.', current_user
    using hint = 'As an administrator, run: create role tardigrade_tenant nologin; create role tardigrade_system nologin;';
end $$;

-- Every migration calls this for each tenant table that it creates, after the grants. `org` is the column that holds
-- the organisation. Row-Level Security is forced, so that it applies to the owner of the tables too.
create function isolate_tenant(name regclass, org text default 'org_id') returns void language plpgsql as $$
begin
  execute format('alter table %s enable row level security, force row level security', name);
  execute format('create policy tenant on %s to tardigrade_tenant using (%I = current_setting(''app.org'')::bigint)', name, org);
  execute format('create policy system on %s to tardigrade_system using (true)', name);
end $$;

-- A process checks whether the schema is up to date before it takes any role.
grant select on kysely_migration, kysely_migration_lock to public;
