-- The second wall between organisations: PostgreSQL itself shows a statement the rows of one organisation only, whatever
-- its WHERE says. Two roles that cannot sign in carry the rights; a process signs in as a role that has none, and takes
-- one of the two for each transaction, together with the organisation (src/db/tenant-isolation.ts).
-- Without the organisation current_setting() raises an error: it fails closed, and loudly.
-- Locks: none, nothing exists yet.

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

-- Every migration that creates a table of a tenant calls this for it, after the grants. `org` is the column that holds
-- the organisation; forced, so that the owner of the tables is bound as well.
create function isolate_tenant(name regclass, org text default 'org_id') returns void language plpgsql as $$
begin
  execute format('alter table %s enable row level security, force row level security', name);
  execute format('create policy tenant on %s to tardigrade_tenant using (%I = current_setting(''app.org'')::bigint)', name, org);
  execute format('create policy system on %s to tardigrade_system using (true)', name);
end $$;

-- A process looks whether the schema is the one it knows before it takes any role.
grant select on kysely_migration, kysely_migration_lock to public;
