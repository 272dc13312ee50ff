-- The statements that are sent to PostgreSQL, each with the function that sends it and the roles it runs as.
-- Written by npm run queries and planned by planned.test.ts; not to be changed by hand.

-- src/db/connection-budget.ts refuseOverBudget (login)
select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int - current_setting('reserved_connections')::int as allowed;

-- src/db/migrate.ts refuseUnreachable
-- src/db/read-write-split.ts ping (login)
select 1;

-- src/db/migrate.ts refuseWrongDatabase (login)
select a.attname as "column", a.attnotnull as not_null, a.atthasdef as has_default, c.relname as "table",
    c.relkind as table_type, ns.nspname as schema, typ.typname as type, dtns.nspname as type_schema,
    col_description(a.attrelid, a.attnum) as column_description,
    pg_get_serial_sequence(quote_ident(ns.nspname) || '.' || quote_ident(c.relname), a.attname) as auto_incrementing
from pg_catalog.pg_attribute as a
inner join pg_catalog.pg_class as c on a.attrelid = c.oid
inner join pg_catalog.pg_namespace as ns on c.relnamespace = ns.oid
inner join pg_catalog.pg_type as typ on a.atttypid = typ.oid
inner join pg_catalog.pg_namespace as dtns on typ.typnamespace = dtns.oid
where c.relkind in ($1, $2, $3, $4) and ns.nspname !~ $5 and ns.nspname != $6 and ns.nspname != $7
    and has_schema_privilege(ns.nspname, 'USAGE') and a.attnum >= $8 and a.attisdropped != $9
order by ns.nspname, c.relname, a.attnum;

-- src/db/read-write-split.ts positionAfterCommit (system, tenant)
select pg_current_wal_insert_lsn()::text as position;

-- src/db/server-version.ts refuseOldServer (login)
select current_setting('server_version_num')::int as number, current_setting('server_version') as version;

-- src/db/server-version.ts refuseWrongReplica (login)
select system_identifier::text as identifier
from pg_control_system();

-- src/http/authentication.ts create (system, tenant)
insert into sessions (token_hash, org_id, user_id, expires_at)
values ($1, $2, $3, $4);

-- src/http/authentication.ts end (tenant)
delete from sessions
where token_hash = $1;

-- src/http/authentication.ts read (system)
select users.org_id, users.id, users.role
from sessions
inner join users on users.org_id = sessions.org_id and users.id = sessions.user_id
where sessions.token_hash = $1 and sessions.expires_at > now();

-- src/modules/accounts/queries.ts deleteExpiredSessions (system)
delete from sessions
where token_hash = any(array(
  select token_hash
  from sessions
  where expires_at < now()
  order by expires_at
  limit $1
  for update skip locked
));

-- src/modules/accounts/queries.ts insertOrganisation (system)
insert into organisations (name)
values ($1)
returning id, name;

-- src/modules/accounts/queries.ts insertOrganisation (system)
insert into users (org_id, email, name, role, password_hash)
values ($1, $2, $3, $4, $5)
returning id, name, email, role;

-- src/modules/accounts/queries.ts me (tenant)
select users.id, users.name, users.email, users.role, organisations.name as organisation
from users
inner join organisations on organisations.id = users.org_id
where users.org_id = $1 and users.id = $2;

-- src/modules/accounts/queries.ts userByEmail (system)
select users.org_id, users.id, users.name, users.email, users.role, users.password_hash,
    organisations.name as organisation
from users
inner join organisations on organisations.id = users.org_id
where users.email = $1;

-- src/modules/operations/queries.ts databaseState (system)
select (
  select sum(numbackends)
  from pg_stat_database
)::int as connections, current_setting('max_connections')::int as "connectionsMax",
    pg_database_size(current_database()) as "sizeBytes", (
  select count(*)
  from (
    select 1
    from outbox
    limit $1
  ) as waiting
) as "outboxWaiting", (
  select max(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), replay_lsn))::bigint
  from pg_stat_replication
) as "replicaLagBytes";

-- src/modules/operations/queries.ts databaseState (system)
select (
  select sum(numbackends)
  from pg_stat_database
)::int as connections, current_setting('max_connections')::int as "connectionsMax",
    pg_database_size(current_database()) as "sizeBytes", (
  select count(*)
  from (
    select 1
    from outbox
    limit 10000
  ) as waiting
) as "outboxWaiting", (
  select max(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), replay_lsn))::bigint
  from pg_stat_replication
) as "replicaLagBytes";

-- src/modules/operations/queries.ts deleteAlert (system)
delete from alerts
where rule = $1 and process = $2;

-- src/modules/operations/queries.ts firingAlerts (system)
select rule, process, detail, since
from alerts
where fired_at is not null and over_at is null
order by rule, process
limit $1;

-- src/modules/operations/queries.ts lockAlerts (system)
select *
from alerts
order by rule, process
limit $1
for update;

-- src/modules/operations/queries.ts lockAlerts (system)
select *
from alerts
order by rule, process
limit $1;

-- src/modules/operations/queries.ts lockAlerts (system)
select pg_advisory_xact_lock($1);

-- src/modules/operations/queries.ts serverState (system)
select (
  select sum(numbackends)
  from pg_stat_database
)::int as connections, current_setting('max_connections')::int as "connectionsMax", (
  select deadlocks
  from pg_stat_database
  where datname = current_database()
) as deadlocks, (
  select extract(epoch from now() - created_at)::float8
  from outbox
  order by id
  limit 1
) as "outboxSeconds", (
  select max(case when wal_status = 'lost' then pg_size_bytes(current_setting('max_slot_wal_keep_size')) else pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) end)::bigint
  from pg_replication_slots
) as "slotBytes", pg_size_bytes(current_setting('max_slot_wal_keep_size')) as "slotBytesMax",
    extract(epoch from now() - coalesce( (
  select finished_at
  from backups
  order by finished_at desc
  limit 1
), (
  select min(timestamp)::timestamptz
  from kysely_migration
)))::float8 as "backupSeconds";

-- src/modules/operations/queries.ts storeAlert (system)
insert into alerts (rule, process, value, detail, since, fired_at, told_at, clear_since, over_at, telling_since)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (rule, process) do update set value = $11, detail = $12, fired_at = $13, told_at = $14, clear_since = $15,
    over_at = $16, telling_since = $17;

-- src/modules/operations/retention.ts deleteOldBackups (system)
delete from backups
where id = any(array(
  select id
  from backups
  where finished_at < now() - make_interval(days => $1::int)
  order by finished_at
  limit $2
));

-- src/modules/operations/retention.ts deleteUntold (system)
delete from alerts
where (rule, process) in (
  select rule, process
  from alerts
  where over_at < now() - make_interval(days => $1::int)
  order by rule, process
  limit $2
);

-- src/queue/retention.ts deleteUndelivered (system)
delete from outbox
where id = any(array(
  select id
  from (
    select id, created_at
    from outbox
    order by id
    limit $1
    for update skip locked
  ) as oldest
  where created_at < now() - make_interval(days => $2::int)
));

-- src/queue/transactional-outbox.ts (system)
delete from outbox
where id = any($1::bigint[]);

-- src/queue/transactional-outbox.ts (system)
select id, org_id as "orgId", payload, attempts
from outbox
where topic = $1 and due_at <= now()
order by due_at, id
limit $2
for update skip locked;

-- src/queue/transactional-outbox.ts (system)
update outbox
set attempts = attempts + 1, due_at = now() + make_interval(secs => $1::float8)
where id = $2;

-- src/queue/transactional-outbox.ts attempt (system)
release savepoint delivery;

-- src/queue/transactional-outbox.ts attempt (system)
rollback to savepoint delivery;

-- src/queue/transactional-outbox.ts attempt (system)
savepoint delivery;

-- src/queue/transactional-outbox.ts unhandledTopics (system)
select topic, count(*)::int as events
from (
  select topic
  from outbox
  order by id
  limit $1
) as oldest
where topic <> all($2::text[])
group by topic
order by topic;

-- src/queue/transactional-outbox.ts writeToOutbox (system, tenant)
insert into outbox (org_id, topic, payload)
values ($1, $2, $3);
