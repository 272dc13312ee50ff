-- For psql, with the variables owner and worker. As in docker-compose.yml; on one machine nothing replicates.
select format('create role %I login password %L createdb in role pg_monitor', 'tardigrade', :'owner')
where not exists (select from pg_roles where rolname = 'tardigrade') \gexec
select 'create role tardigrade_tenant nologin' where not exists (select from pg_roles where rolname = 'tardigrade_tenant') \gexec
select 'create role tardigrade_system nologin in role pg_read_all_stats' where not exists (select from pg_roles where rolname = 'tardigrade_system') \gexec
select format('create role %I login password %L noinherit in role tardigrade_tenant, tardigrade_system', 'tardigrade_worker', :'worker')
where not exists (select from pg_roles where rolname = 'tardigrade_worker') \gexec
select 'create database tardigrade owner tardigrade template template0 locale_provider builtin builtin_locale ''C.UTF-8'' locale ''C'' encoding ''UTF8'''
where not exists (select from pg_database where datname = 'tardigrade') \gexec
