-- The statements that are sent to PostgreSQL, each with the function that sends it and the roles it runs as.
-- Written by npm run queries and planned by planned.test.ts; not to be changed by hand.

-- src/db/asked-stops.ts among (system)
select life
from asked_stops
where life = any($1::text[]);

-- src/db/asked-stops.ts note (system)
insert into asked_stops (life)
values ($1)
on conflict do nothing;

-- src/db/connection-budget.ts connectionsAllowed (login)
select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int - current_setting('reserved_connections')::int as allowed;

-- src/db/idempotency-key.ts claim (system, tenant)
select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as free;

-- src/db/idempotency-key.ts keepAnswer (system, tenant)
insert into idempotency_keys (org_id, caller, key_hash, request_hash, status, headers, body)
select $1::bigint as org_id, $2::text as caller, $3::bytea as key_hash, $4::bytea as request_hash,
    $5::smallint as status, $6::jsonb as headers, $7::bytea as body
where pg_current_xact_id_if_assigned() is not null
on conflict (org_id, caller, key_hash) do update set request_hash = $8, status = $9, headers = $10, body = $11,
    answered_at = now();

-- src/db/idempotency-key.ts keptAnswer (system)
select request_hash, status, headers, body, (
  select (pg_split_walfile_name(pg_walfile_name(lsn))).timeline_id || ':' || lsn
  from pg_current_wal_insert_lsn() as lsn
) as position
from idempotency_keys
where caller = $1 and key_hash = $2 and answered_at > now() - make_interval(secs => $3::float8)
limit $4;

-- src/db/idempotency-key.ts keptAnswer (system, tenant)
select request_hash, status, headers, body, (
  select (pg_split_walfile_name(pg_walfile_name(lsn))).timeline_id || ':' || lsn
  from pg_current_wal_insert_lsn() as lsn
) as position
from idempotency_keys
where org_id = $1 and caller = $2 and key_hash = $3 and answered_at > now() - make_interval(secs => $4::float8);

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

-- src/db/read-write-split.ts currentPosition (system, tenant)
select (
  select (pg_split_walfile_name(pg_walfile_name(lsn))).timeline_id || ':' || lsn
  from pg_current_wal_insert_lsn() as lsn
) as position;

-- src/db/server-version.ts refuseOldServer (login)
select current_setting('server_version_num')::int as number, current_setting('server_version') as version;

-- src/db/server-version.ts refuseWrongReplica (login)
select system_identifier::text as identifier
from pg_control_system();

-- src/http/api-keys.ts read (system)
select users.org_id, users.id, users.role, api_keys.prefix, api_keys.scope, api_keys.last_used_at
from api_keys
inner join users on users.org_id = api_keys.org_id and users.id = api_keys.user_id
where api_keys.key_hash = $1 and (api_keys.expires_at is null or api_keys.expires_at > now());

-- src/http/api-keys.ts touch (system)
update api_keys
set last_used_at = now()
where key_hash = $1;

-- src/http/authentication.ts create (system, tenant)
insert into sessions (token_hash, org_id, user_id, device, network, expires_at)
values ($1, $2, $3, $4, $5, $6);

-- src/http/authentication.ts end (tenant)
delete from sessions
where token_hash = $1;

-- src/http/authentication.ts read (system)
select users.org_id, users.id, users.role, users.email, sessions.id as session_id, sessions.last_used_at
from sessions
inner join users on users.org_id = sessions.org_id and users.id = sessions.user_id
where sessions.expires_at > now() and sessions.token_hash = $1;

-- src/http/authentication.ts touch (system)
update sessions
set last_used_at = now()
where token_hash = $1;

-- src/http/current-access.ts currentRole (tenant)
select users.role
from sessions
inner join users on users.org_id = sessions.org_id and users.id = sessions.user_id
where sessions.expires_at > now() and sessions.org_id = $1 and sessions.user_id = $2 and sessions.id = $3;

-- src/http/current-access.ts lockAccess (tenant)
select pg_advisory_xact_lock(hashtextextended('access to ' || $1::bigint, 0));

-- src/http/optimistic-concurrency.ts workOnSeen (tenant)
select version
from webhook_endpoints
where org_id = $1 and id = $2
for no key update;

-- src/modules/accounts/api-key-queries.ts apiKeysPage (tenant)
select api_keys.id, api_keys.name, api_keys.prefix, api_keys.scope, users.name as owner,
    api_keys.created_at as "createdAt", api_keys.last_used_at as "lastUsedAt", api_keys.expires_at as "expiresAt"
from api_keys
inner join users on users.org_id = api_keys.org_id and users.id = api_keys.user_id
where api_keys.org_id = $1
order by api_keys.id desc
limit $2;

-- src/modules/accounts/api-key-queries.ts apiKeysPage (tenant)
select api_keys.id, api_keys.name, api_keys.prefix, api_keys.scope, users.name as owner,
    api_keys.created_at as "createdAt", api_keys.last_used_at as "lastUsedAt", api_keys.expires_at as "expiresAt"
from api_keys
inner join users on users.org_id = api_keys.org_id and users.id = api_keys.user_id
where api_keys.org_id = $1 and api_keys.id < $2
order by api_keys.id desc
limit $3;

-- src/modules/accounts/api-key-queries.ts countApiKeys (tenant)
select count(*) as count
from api_keys
where org_id = $1;

-- src/modules/accounts/api-key-queries.ts deleteApiKey (tenant)
delete from api_keys
where org_id = $1 and id = $2
returning name, prefix;

-- src/modules/accounts/api-key-queries.ts deleteExpiredApiKeys (system)
delete from api_keys
where (org_id, id) in (
  select org_id, id
  from api_keys
  where expires_at < now() - make_interval(days => $1::int)
  order by expires_at
  limit $2
  for update skip locked
);

-- src/modules/accounts/api-key-queries.ts insertApiKey (tenant)
insert into api_keys (org_id, user_id, name, prefix, key_hash, scope, expires_at)
values ($1, $2, $3, $4, $5, $6, $7)
returning id, name, prefix, scope, created_at as "createdAt", expires_at as "expiresAt";

-- src/modules/accounts/held-access.ts accessOf (system)
select given.nth, u.role,
    case when given.session_id is not null then s.id is not null when given.api_key is not null then k.id is not null else true end as holds
from unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[]) as given (nth, org_id, user_id,
    session_id, api_key)
cross join lateral (
  select role
  from users
  where users.org_id = given.org_id and users.id = given.user_id
  limit 1
) as u
left join lateral (
  select id
  from sessions
  where sessions.org_id = given.org_id and sessions.user_id = given.user_id and sessions.id = given.session_id
      and sessions.expires_at > now()
  limit 1
) as s on true
left join lateral (
  select id
  from api_keys
  where api_keys.org_id = given.org_id and api_keys.user_id = given.user_id and api_keys.prefix = given.api_key
      and (api_keys.expires_at is null or api_keys.expires_at > now())
  limit 1
) as k on true;

-- src/modules/accounts/invitation-queries.ts deleteExpiredInvitations (system)
delete from invitations
where (org_id, id) in (
  select org_id, id
  from invitations
  where expires_at < now() - make_interval(days => $1::int)
  order by expires_at
  limit $2
  for update skip locked
);

-- src/modules/accounts/invitation-queries.ts deleteInvitation (tenant)
delete from invitations
where org_id = $1 and id = $2
returning id;

-- src/modules/accounts/invitation-queries.ts invitationsPage (tenant)
select id, email, role, invited_by as "invitedBy", created_at as "createdAt", expires_at as "expiresAt",
    mailed_at as "mailedAt", mail_problem as "mailProblem"
from invitations
where org_id = $1
order by id desc
limit $2;

-- src/modules/accounts/invitation-queries.ts invitationsPage (tenant)
select id, email, role, invited_by as "invitedBy", created_at as "createdAt", expires_at as "expiresAt",
    mailed_at as "mailedAt", mail_problem as "mailProblem"
from invitations
where org_id = $1 and id < $2
order by id desc
limit $3;

-- src/modules/accounts/invitation-queries.ts isMember (tenant)
select id
from users
where org_id = $1 and email = $2;

-- src/modules/accounts/invitation-queries.ts openInvitation (tenant)
select invitations.email, invitations.role, organisations.name as organisation
from invitations
inner join organisations on organisations.id = invitations.org_id
where invitations.org_id = $1 and invitations.id = $2 and invitations.expires_at > now();

-- src/modules/accounts/invitation-queries.ts replaceInvitation (tenant)
delete from invitations
where org_id = $1 and email = $2;

-- src/modules/accounts/invitation-queries.ts replaceInvitation (tenant)
insert into invitations (org_id, email, role, invited_by, expires_at)
values ($1, $2, $3, (
  select name
  from users
  where org_id = $4 and id = $5
), $6)
returning id, email, role, invited_by as "invitedBy", created_at as "createdAt", expires_at as "expiresAt",
    mailed_at as "mailedAt", mail_problem as "mailProblem";

-- src/modules/accounts/invitation-queries.ts takeInvitation (tenant)
delete from invitations
where org_id = $1 and id = $2 and expires_at > now()
returning email, role;

-- src/modules/accounts/letter-queries.ts letter (system)
select 'registration' as kind, registrations.mailed_at as "mailedAt", registrations.expires_at as "expiresAt",
    registrations.email, registrations.created_at as "askedAt", users.id is not null as "hasAccount"
from registrations
left join users on users.email = registrations.email
where registrations.id = $1;

-- src/modules/accounts/letter-queries.ts letter (tenant)
select 'invitation' as kind, invitations.mailed_at as "mailedAt", invitations.expires_at as "expiresAt",
    invitations.email, invitations.created_at as "askedAt", organisations.name as organisation,
    invitations.invited_by as "invitedBy"
from invitations
inner join organisations on organisations.id = invitations.org_id
where invitations.org_id = $1 and invitations.id = $2;

-- src/modules/accounts/letter-queries.ts letter (tenant)
select 'password-reset' as kind, password_resets.mailed_at as "mailedAt", password_resets.expires_at as "expiresAt",
    users.email, password_resets.created_at as "askedAt", organisations.name as organisation
from password_resets
inner join users on users.org_id = password_resets.org_id and users.id = password_resets.user_id
inner join organisations on organisations.id = password_resets.org_id
where password_resets.org_id = $1 and password_resets.id = $2;

-- src/modules/accounts/letter-queries.ts recordMailed (system)
update registrations
set mailed_at = now(), mail_problem = $1
where id = $2;

-- src/modules/accounts/letter-queries.ts recordMailed (tenant)
update invitations
set mailed_at = now(), mail_problem = $1
where org_id = $2 and id = $3;

-- src/modules/accounts/letter-queries.ts recordMailed (tenant)
update password_resets
set mailed_at = now(), mail_problem = $1
where org_id = $2 and id = $3;

-- src/modules/accounts/letter-queries.ts unmailedLetters (system)
select $1::bigint as "orgId", 'registration' as kind, id
from registrations
where mailed_at is null and created_at < now() - make_interval(secs => $2::float8)
order by created_at
limit $3;

-- src/modules/accounts/letter-queries.ts unmailedLetters (system)
select org_id as "orgId", 'invitation' as kind, id
from invitations
where mailed_at is null and created_at < now() - make_interval(secs => $1::float8)
order by created_at
limit $2;

-- src/modules/accounts/letter-queries.ts unmailedLetters (system)
select org_id as "orgId", 'password-reset' as kind, id
from password_resets
where mailed_at is null and created_at < now() - make_interval(secs => $1::float8)
order by created_at
limit $2;

-- src/modules/accounts/member-queries.ts countMembers (tenant)
select (
  select count(*)
  from users
  where org_id = $1
) + (
  select count(*)
  from invitations
  where org_id = $2 and expires_at > now()
) as count;

-- src/modules/accounts/member-queries.ts deleteMember (tenant)
delete from users
where org_id = $1 and id = $2;

-- src/modules/accounts/member-queries.ts hasOtherOwner (tenant)
select id
from users
where org_id = $1 and role = $2 and id <> $3
limit $4;

-- src/modules/accounts/member-queries.ts insertMember
-- src/modules/accounts/queries.ts insertOrganisation (system, tenant)
insert into users (org_id, email, name, role, password_hash)
values ($1, $2, $3, $4, $5)
returning id, name, email, role;

-- src/modules/accounts/member-queries.ts memberById (tenant)
select id, name, email, role
from users
where org_id = $1 and id = $2;

-- src/modules/accounts/member-queries.ts membersPage (tenant)
select id, name, email, role, created_at as "createdAt"
from users
where org_id = $1 and id > $2
order by id
limit $3;

-- src/modules/accounts/member-queries.ts updateRole (tenant)
update users
set role = $1
where org_id = $2 and id = $3;

-- src/modules/accounts/oidc-queries.ts linkIdentity (tenant)
insert into oidc_identities (org_id, user_id, issuer, subject)
values ($1, $2, $3, $4)
on conflict do nothing;

-- src/modules/accounts/oidc-queries.ts userOfIdentity (system)
select org_id as "orgId", user_id as "userId"
from oidc_identities
where issuer = $1 and subject = $2;

-- src/modules/accounts/password-reset-queries.ts deleteExpiredPasswordResets (system)
delete from password_resets
where (org_id, id) in (
  select org_id, id
  from password_resets
  where expires_at < now()
  order by expires_at
  limit $1
  for update skip locked
);

-- src/modules/accounts/password-reset-queries.ts deletePasswordReset (tenant)
delete from password_resets
where org_id = $1 and user_id = $2;

-- src/modules/accounts/password-reset-queries.ts openPasswordReset (tenant)
select users.id as "userId", users.email
from password_resets
inner join users on users.org_id = password_resets.org_id and users.id = password_resets.user_id
where password_resets.org_id = $1 and password_resets.id = $2 and password_resets.expires_at > now();

-- src/modules/accounts/password-reset-queries.ts remailPasswordReset (system)
delete from password_resets
where org_id = $1 and user_id = $2 and expires_at < $3;

-- src/modules/accounts/password-reset-queries.ts remailPasswordReset (system)
insert into password_resets (org_id, user_id, expires_at)
values ($1, $2, $3)
on conflict (org_id, user_id) do update set created_at = default, mailed_at = $4, mail_problem = $5
returning id;

-- src/modules/accounts/password-reset-queries.ts takePasswordReset (tenant)
delete from password_resets
where org_id = $1 and id = $2 and expires_at > now()
returning user_id;

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

-- src/modules/accounts/queries.ts holdPassword (tenant)
select id
from users
where org_id = $1 and id = $2 and password_hash = $3 for share;

-- src/modules/accounts/queries.ts insertOrganisation (system)
insert into organisations (name)
values ($1)
returning id, name;

-- src/modules/accounts/queries.ts me (tenant)
select users.id, users.name, users.email, users.role, organisations.name as organisation
from users
inner join organisations on organisations.id = users.org_id
where users.org_id = $1 and users.id = $2;

-- src/modules/accounts/queries.ts passwordOf (tenant)
select email, password_hash
from users
where org_id = $1 and id = $2;

-- src/modules/accounts/queries.ts replacePassword (tenant)
update users
set password_hash = $1
where org_id = $2 and id = $3 and password_hash = $4;

-- src/modules/accounts/queries.ts updatePassword (tenant)
update users
set password_hash = $1
where org_id = $2 and id = $3;

-- src/modules/accounts/queries.ts userByEmail (system)
select second_factors.confirmed_at as second_factor_since, users.org_id, users.id, users.name, users.email, users.role,
    users.password_hash, organisations.name as organisation
from users
inner join organisations on organisations.id = users.org_id
left join second_factors on second_factors.org_id = users.org_id and second_factors.user_id = users.id
where users.email = $1;

-- src/modules/accounts/queries.ts userById (tenant)
select users.org_id, users.id, users.name, users.email, users.role, users.password_hash,
    organisations.name as organisation
from users
inner join organisations on organisations.id = users.org_id
where users.org_id = $1 and users.id = $2;

-- src/modules/accounts/registration-queries.ts deleteExpiredRegistrations (system)
delete from registrations
where id in (
  select id
  from registrations
  where expires_at < now()
  order by expires_at
  limit $1
  for update skip locked
);

-- src/modules/accounts/registration-queries.ts openRegistration (system)
select registrations.email, users.id as "userId"
from registrations
left join users on users.email = registrations.email
where registrations.id = $1 and registrations.expires_at > now();

-- src/modules/accounts/registration-queries.ts pushOutRegistrations (system)
delete from registrations
where id in (
  select id
  from registrations
  where id <= $1::bigint
  order by id
  limit $2
  for update skip locked
);

-- src/modules/accounts/registration-queries.ts renewRegistration (system)
delete from registrations
where email = $1 and expires_at <= now();

-- src/modules/accounts/registration-queries.ts renewRegistration (system)
insert into registrations (email, expires_at)
values ($1, $2)
on conflict (email) do update set created_at = default, expires_at = excluded.expires_at, mailed_at = $3,
    mail_problem = $4
returning id;

-- src/modules/accounts/registration-queries.ts takeRegistration (system)
delete from registrations
where id = $1 and expires_at > now()
returning email;

-- src/modules/accounts/second-factor-queries.ts confirmSecondFactor (tenant)
update second_factors
set confirmed_at = now()
where org_id = $1 and user_id = $2;

-- src/modules/accounts/second-factor-queries.ts countRecoveryCodes (tenant)
select count(*) as count
from recovery_codes
where org_id = $1 and user_id = $2;

-- src/modules/accounts/second-factor-queries.ts deleteBegunSecondFactor (tenant)
delete from second_factors
where org_id = $1 and user_id = $2 and confirmed_at is null;

-- src/modules/accounts/second-factor-queries.ts deleteSecondFactor (tenant)
delete from second_factors
where org_id = $1 and user_id = $2;

-- src/modules/accounts/second-factor-queries.ts insertRecoveryCodes (tenant)
insert into recovery_codes (org_id, user_id, code_hash)
values ($1, $2, $3), ($4, $5, $6), ($7, $8, $9), ($10, $11, $12), ($13, $14, $15), ($16, $17, $18), ($19, $20, $21),
    ($22, $23, $24), ($25, $26, $27), ($28, $29, $30);

-- src/modules/accounts/second-factor-queries.ts insertSecondFactor (tenant)
insert into second_factors (org_id, user_id, sealed_secret)
values ($1, $2, $3);

-- src/modules/accounts/second-factor-queries.ts lockSecondFactor (tenant)
select id
from users
where org_id = $1 and id = $2
for no key update;

-- src/modules/accounts/second-factor-queries.ts lockSecondFactor (tenant)
select sealed_secret as "sealedSecret", confirmed_at as "confirmedAt", last_step as "lastStep"
from second_factors
where org_id = $1 and user_id = $2
for update;

-- src/modules/accounts/second-factor-queries.ts secondFactor (tenant)
select sealed_secret as "sealedSecret", confirmed_at as "confirmedAt", last_step as "lastStep"
from second_factors
where org_id = $1 and user_id = $2;

-- src/modules/accounts/second-factor-queries.ts useRecoveryCode (tenant)
delete from recovery_codes
where org_id = $1 and user_id = $2 and code_hash = $3;

-- src/modules/accounts/second-factor-queries.ts useStep (tenant)
update second_factors
set last_step = $1
where org_id = $2 and user_id = $3 and last_step < $4;

-- src/modules/accounts/session-queries.ts deleteSession (tenant)
delete from sessions
where org_id = $1 and user_id = $2 and id = $3;

-- src/modules/accounts/session-queries.ts deleteSessions (tenant)
delete from sessions
where org_id = $1 and (org_id, user_id, id) in (
  select org_id, user_id, id
  from sessions
  where org_id = $2 and user_id = $3 and id < $4
  order by id
  limit $5
);

-- src/modules/accounts/session-queries.ts deleteSessions (tenant)
delete from sessions
where org_id = $1 and (org_id, user_id, id) in (
  select org_id, user_id, id
  from sessions
  where org_id = $2 and user_id = $3 and id > $4
  order by id
  limit $5
);

-- src/modules/accounts/session-queries.ts sessionsOf (tenant)
select id, device, network, created_at as "createdAt", last_used_at as "lastUsedAt", expires_at
from sessions
where org_id = $1 and user_id = $2
order by id desc
limit $3;

-- src/modules/audit/audit.ts writeAudit (system, tenant)
insert into audit_log (org_id, actor_id, actor, api_key, network, action, subject, details)
values ($1::bigint, $2::bigint, coalesce((
  select users.name
  from users
  where users.org_id = $3 and users.id = $4::bigint
), $5::text), $6, $7, $8, $9, $10::jsonb);

-- src/modules/audit/queries.ts auditPage (tenant)
select id, created_at, actor_id, actor, api_key, network, action, subject, details
from audit_log
where org_id = $1 and created_at >= $2 and created_at < $3
order by created_at desc, id desc
limit $4;

-- src/modules/audit/queries.ts auditPage (tenant)
select id, created_at, actor_id, actor, api_key, network, action, subject, details
from audit_log
where org_id = $1 and created_at >= $2 and created_at < $3 and (created_at, id) < ($4::timestamptz, $5::bigint)
order by created_at desc, id desc
limit $6;

-- src/modules/audit/queries.ts auditPage (tenant)
select id, created_at, actor_id, actor, api_key, network, action, subject, details
from audit_log
where org_id = $1 and created_at >= $2 and created_at < $3 and action = $4
order by created_at desc, id desc
limit $5;

-- src/modules/audit/queries.ts auditPage (tenant)
select id, created_at, actor_id, actor, api_key, network, action, subject, details
from audit_log
where org_id = $1 and created_at >= $2 and created_at < $3 and action = $4 and (created_at, id) < ($5::timestamptz,
    $6::bigint)
order by created_at desc, id desc
limit $7;

-- src/modules/audit/queries.ts auditPage (tenant)
select id, created_at, actor_id, actor, api_key, network, action, subject, details
from audit_log
where org_id = $1 and created_at >= $2 and created_at < $3 and actor_id = $4
order by created_at desc, id desc
limit $5;

-- src/modules/audit/queries.ts auditPage (tenant)
select id, created_at, actor_id, actor, api_key, network, action, subject, details
from audit_log
where org_id = $1 and created_at >= $2 and created_at < $3 and actor_id = $4 and action = $5
order by created_at desc, id desc
limit $6;

-- src/modules/audit/queries.ts deleteOldEntries (system)
delete from audit_log
where (org_id, created_at, id) in (
  select org_id, created_at, id
  from audit_log
  where created_at < now() - make_interval(days => $1::int)
  order by created_at
  limit $2
);

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

-- src/modules/operations/retention.ts deleteOldStops (system)
delete from asked_stops
where life = any(array(
  select life
  from asked_stops
  where stopped_at < now() - make_interval(days => $1::int)
  order by stopped_at
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

-- src/modules/suppressions/queries.ts insertSuppressions (tenant)
insert into suppressions (org_id, address, reason, detail)
select distinct on (address collate "C") $1::bigint, address, reason, detail
from unnest($2::text[], $3::text[], $4::text[]) as given (address, reason, detail)
order by address collate "C"
on conflict (org_id, address)
where lifted_at is null do nothing
returning id;

-- src/modules/suppressions/queries.ts markLifted (tenant)
update suppressions
set lifted_at = coalesce(lifted_at, now()), lifted_by = coalesce(lifted_by, $1)
where org_id = $2 and id = $3
returning lifted_at = now() as "isNew";

-- src/modules/suppressions/queries.ts suppressedOf (tenant)
select address
from suppressions
where org_id = $1 and address = any($2::text[]) and lifted_at is null
limit $3;

-- src/modules/suppressions/queries.ts suppressionById (tenant)
select id, address, reason, detail, created_at, lifted_at, lifted_by
from suppressions
where org_id = $1 and id = $2;

-- src/modules/suppressions/queries.ts suppressionOf (tenant)
select id, address, reason, detail, created_at, lifted_at, lifted_by
from suppressions
where org_id = $1 and address = $2 and lifted_at is null;

-- src/modules/suppressions/queries.ts suppressionsFound (tenant)
select id, address, reason, detail, created_at, lifted_at, lifted_by
from suppressions
where org_id = $1 and address >= greatest($2::text collate "C", $3::text) and address < $4::text || chr(1114111)
    and (address, id) > ($5::text, $6::bigint)
order by address, id
limit $7;

-- src/modules/suppressions/queries.ts suppressionsOfAddress (tenant)
select id, address, reason, detail, created_at, lifted_at, lifted_by
from suppressions
where org_id = $1 and address = $2
order by id
limit $3;

-- src/modules/suppressions/queries.ts suppressionsPage (tenant)
select id, address, reason, detail, created_at, lifted_at, lifted_by
from suppressions
where org_id = $1 and id < $2
order by id desc
limit $3;

-- src/modules/suppressions/retention.ts deleteOldLifted (system)
delete from suppressions
where (org_id, id) in (
  select org_id, id
  from suppressions
  where lifted_at is not null and lifted_at < now() - make_interval(days => $1::int)
  order by lifted_at
  limit $2
  for update skip locked
);

-- src/modules/webhooks/delivery-queries.ts claimEndpoints (system)
with fast as (
  select org_id, id
  from webhook_endpoints
  where is_slow = false and due_at <= now()
  order by due_at
  limit $1
  for update skip locked
), slow as (
  select org_id, id
  from webhook_endpoints
  where is_slow = true and due_at <= now()
  order by due_at
  limit $2
  for update skip locked
)
update webhook_endpoints as e
set claim = e.claim + 1, due_at = now() + make_interval(secs => 60), leased_until = now() + make_interval(secs => 60)
where (e.org_id, e.id) in (
  select org_id, id
  from fast
  union all
  select org_id, id
  from slow
)
returning e.org_id as "orgId", e.id, e.url, e.sealed_secret as "sealedSecret", e.failures, e.claim,
    e.is_slow as "isSlow",
    case when e.previous_until > now() then e.previous_sealed_secret end as "previousSealedSecret";

-- src/modules/webhooks/delivery-queries.ts dueDeliveries (tenant)
select id, message_id as "messageId", body, attempts
from webhook_deliveries
where org_id = $1 and endpoint_id = $2 and due_at <= now()
order by due_at asc, id asc
limit $3;

-- src/modules/webhooks/delivery-queries.ts dueDeliveries (tenant)
select id, message_id as "messageId", body, attempts
from webhook_deliveries
where org_id = $1 and endpoint_id = $2 and due_at <= now()
order by due_at desc, id desc
limit $3;

-- src/modules/webhooks/delivery-queries.ts lockClaimed (tenant)
select url, failures, coalesce(extract(epoch from now() - failing_since)::float8 * 1000, 0) as "failingForMs"
from webhook_endpoints
where org_id = $1 and id = $2 and claim = $3
for update;

-- src/modules/webhooks/delivery-queries.ts recordAttempt (tenant)
update webhook_deliveries
set status = $1, attempts = $2, due_at = $3, last_attempt_at = now(), last_status = $4, last_ms = $5, last_error = $6
where org_id = $7 and id = $8 and due_at is not null and attempts = $9;

-- src/modules/webhooks/delivery-queries.ts recordAttempt (tenant)
update webhook_deliveries
set status = $1, attempts = $2, due_at = now() + make_interval(secs => $3::float8), last_attempt_at = now(),
    last_status = $4, last_ms = $5, last_error = $6
where org_id = $7 and id = $8 and due_at is not null and attempts = $9;

-- src/modules/webhooks/delivery-queries.ts releaseEndpoint (tenant)
update webhook_endpoints
set failures = $1, failing_since = $2, held_until = null::timestamptz, is_slow = $3, leased_until = $4,
    due_at = case when (
  select min(due_at)
  from webhook_deliveries
  where org_id = $5 and endpoint_id = $6 and due_at is not null
) is not null then greatest((
  select min(due_at)
  from webhook_deliveries
  where org_id = $7 and endpoint_id = $8 and due_at is not null
), null::timestamptz, now()) end,
    previous_sealed_secret = case when previous_until > now() then previous_sealed_secret end,
    previous_until = case when previous_until > now() then previous_until end
where org_id = $9 and id = $10;

-- src/modules/webhooks/delivery-queries.ts releaseEndpoint (tenant)
update webhook_endpoints
set failures = $1, failing_since = coalesce(failing_since, now()),
    held_until = now() + make_interval(secs => $2::float8), is_slow = $3, leased_until = $4, due_at = case when (
  select min(due_at)
  from webhook_deliveries
  where org_id = $5 and endpoint_id = $6 and due_at is not null
) is not null then greatest((
  select min(due_at)
  from webhook_deliveries
  where org_id = $7 and endpoint_id = $8 and due_at is not null
), now() + make_interval(secs => $9::float8), now()) end,
    previous_sealed_secret = case when previous_until > now() then previous_sealed_secret end,
    previous_until = case when previous_until > now() then previous_until end
where org_id = $10 and id = $11;

-- src/modules/webhooks/delivery-queries.ts releaseEndpoint (tenant)
update webhook_endpoints
set failures = $1, failing_since = coalesce(failing_since, now()), held_until = null::timestamptz, is_slow = $2,
    leased_until = $3, due_at = case when (
  select min(due_at)
  from webhook_deliveries
  where org_id = $4 and endpoint_id = $5 and due_at is not null
) is not null then greatest((
  select min(due_at)
  from webhook_deliveries
  where org_id = $6 and endpoint_id = $7 and due_at is not null
), null::timestamptz, now()) end,
    previous_sealed_secret = case when previous_until > now() then previous_sealed_secret end,
    previous_until = case when previous_until > now() then previous_until end
where org_id = $8 and id = $9;

-- src/modules/webhooks/endpoint-queries.ts countEndpoints (tenant)
select count(*) as count
from webhook_endpoints
where org_id = $1;

-- src/modules/webhooks/endpoint-queries.ts countWaiting (tenant)
select count(*)::int as waiting
from (
  select
  from webhook_deliveries
  where org_id = $1 and endpoint_id = $2 and due_at is not null
  limit $3
) as counted;

-- src/modules/webhooks/endpoint-queries.ts deleteEndpoint (tenant)
delete from webhook_endpoints
where org_id = $1 and id = $2
returning url;

-- src/modules/webhooks/endpoint-queries.ts deleteOldDeliveries (system)
delete from webhook_deliveries
where (org_id, id) in (
  select org_id, id
  from webhook_deliveries
  where created_at < now() - make_interval(days => $1::int)
  order by created_at
  limit $2
  for update skip locked
);

-- src/modules/webhooks/endpoint-queries.ts deliveriesPage (tenant)
select id, endpoint_id as "endpointId", message_id as "messageId", event_type as "eventType", status, attempts,
    created_at as "createdAt", due_at as "nextAttemptAt", last_attempt_at as "lastAttemptAt",
    last_status as "lastStatus", last_ms as "lastMs", last_error as "lastError"
from webhook_deliveries
where org_id = $1 and endpoint_id = $2
order by id desc
limit $3;

-- src/modules/webhooks/endpoint-queries.ts deliveriesPage (tenant)
select id, endpoint_id as "endpointId", message_id as "messageId", event_type as "eventType", status, attempts,
    created_at as "createdAt", due_at as "nextAttemptAt", last_attempt_at as "lastAttemptAt",
    last_status as "lastStatus", last_ms as "lastMs", last_error as "lastError"
from webhook_deliveries
where org_id = $1 and endpoint_id = $2 and id < $3
order by id desc
limit $4;

-- src/modules/webhooks/endpoint-queries.ts deliveriesPage (tenant)
select id, endpoint_id as "endpointId", message_id as "messageId", event_type as "eventType", status, attempts,
    created_at as "createdAt", due_at as "nextAttemptAt", last_attempt_at as "lastAttemptAt",
    last_status as "lastStatus", last_ms as "lastMs", last_error as "lastError"
from webhook_deliveries
where org_id = $1 and endpoint_id = $2 and status = $3
order by id desc
limit $4;

-- src/modules/webhooks/endpoint-queries.ts deliveryById (tenant)
select id, endpoint_id as "endpointId", message_id as "messageId", event_type as "eventType", status, attempts,
    created_at as "createdAt", due_at as "nextAttemptAt", last_attempt_at as "lastAttemptAt",
    last_status as "lastStatus", last_ms as "lastMs", last_error as "lastError"
from webhook_deliveries
where org_id = $1 and id = $2;

-- src/modules/webhooks/endpoint-queries.ts endHold (tenant)
update webhook_endpoints
set held_until = $1
where org_id = $2 and id = $3;

-- src/modules/webhooks/endpoint-queries.ts endpointById (tenant)
select id, url, description, event_types as "eventTypes", version, created_at as "createdAt",
    disabled_at as "disabledAt", disabled_because as "disabledBecause", failing_since as "failingSince",
    case when held_until > now() then held_until end as "heldUntil",
    case when previous_until > now() then previous_until end as "previousSecretUntil"
from webhook_endpoints
where org_id = $1 and id = $2;

-- src/modules/webhooks/endpoint-queries.ts endpoints (tenant)
select id, url, description, event_types as "eventTypes", version, created_at as "createdAt",
    disabled_at as "disabledAt", disabled_because as "disabledBecause", failing_since as "failingSince",
    case when held_until > now() then held_until end as "heldUntil",
    case when previous_until > now() then previous_until end as "previousSecretUntil"
from webhook_endpoints
where org_id = $1
order by id desc
limit $2;

-- src/modules/webhooks/endpoint-queries.ts freshenEndpoint (tenant)
update webhook_endpoints
set disabled_at = null, disabled_because = null, owners_to_tell = '{}', failures = 0, failing_since = null,
    held_until = null, is_slow = false, leased_until = null, claim = claim + 1, due_at = (
  select min(due_at)
  from webhook_deliveries
  where org_id = $1 and endpoint_id = $2 and due_at is not null
)
where org_id = $3 and id = $4;

-- src/modules/webhooks/endpoint-queries.ts insertEndpoint (tenant)
insert into webhook_endpoints (org_id, url, description, event_types, sealed_secret)
values ($1, $2, $3, $4, $5)
returning id, url, description, event_types as "eventTypes", version, created_at as "createdAt",
    disabled_at as "disabledAt", disabled_because as "disabledBecause", failing_since as "failingSince",
    case when held_until > now() then held_until end as "heldUntil",
    case when previous_until > now() then previous_until end as "previousSecretUntil";

-- src/modules/webhooks/endpoint-queries.ts lockEndpoint (tenant)
select id, url, description, event_types as "eventTypes", version, created_at as "createdAt",
    disabled_at as "disabledAt", disabled_because as "disabledBecause", failing_since as "failingSince",
    case when held_until > now() then held_until end as "heldUntil",
    case when previous_until > now() then previous_until end as "previousSecretUntil"
from webhook_endpoints
where org_id = $1 and id = $2
for update;

-- src/modules/webhooks/endpoint-queries.ts lockWebhooks (tenant)
select pg_advisory_xact_lock(hashtextextended('webhooks of ' || $1::bigint, 0));

-- src/modules/webhooks/endpoint-queries.ts replayDead (tenant)
update webhook_deliveries
set status = $1, attempts = $2, due_at = now()
where (org_id, id) in (
  select org_id, id
  from webhook_deliveries
  where org_id = $3 and endpoint_id = $4 and status = $5
  order by id
  limit $6
);

-- src/modules/webhooks/endpoint-queries.ts replayDelivery (tenant)
update webhook_deliveries
set status = $1, attempts = $2, due_at = now()
where org_id = $3 and id = $4 and status <> $5;

-- src/modules/webhooks/endpoint-queries.ts rotateEndpointSecret (tenant)
update webhook_endpoints
set sealed_secret = $1, previous_sealed_secret = sealed_secret,
    previous_until = now() + make_interval(secs => $2::float8), version = version + 1
where org_id = $3 and id = $4;

-- src/modules/webhooks/endpoint-queries.ts updateEndpoint (tenant)
update webhook_endpoints
set description = $1, version = version + 1
where org_id = $2 and id = $3;

-- src/modules/webhooks/endpoint-queries.ts updateEndpoint (tenant)
update webhook_endpoints
set event_types = $1, version = version + 1
where org_id = $2 and id = $3;

-- src/modules/webhooks/endpoint-queries.ts updateEndpoint (tenant)
update webhook_endpoints
set url = $1, version = version + 1
where org_id = $2 and id = $3;

-- src/modules/webhooks/endpoint-queries.ts updateEndpoint (tenant)
update webhook_endpoints
set version = version + 1
where org_id = $1 and id = $2;

-- src/modules/webhooks/event-queries.ts disableEndpoint (system, tenant)
update webhook_deliveries
set status = 'dead', due_at = null, last_error = coalesce(last_error || ' ', '') || 'The endpoint was disabled.'
where (org_id, id) in (
  select org_id, id
  from webhook_deliveries
  where org_id = $1 and endpoint_id = $2 and due_at is not null
  limit $3
);

-- src/modules/webhooks/event-queries.ts disableEndpoint (system, tenant)
update webhook_endpoints
set disabled_at = now(), disabled_because = $1, due_at = null, held_until = null, leased_until = null,
    claim = claim + 1, version = version + 1, owners_to_tell = array(
  select id
  from users
  where org_id = $2 and role = 'owner'
  order by id
  limit $3
)
where org_id = $4 and id = $5 and disabled_at is null;

-- src/modules/webhooks/event-queries.ts disableEndpoint (tenant)
update webhook_endpoints
set disabled_at = now(), disabled_because = $1, due_at = null, held_until = null, leased_until = null,
    claim = claim + 1, version = version + 1, owners_to_tell = '{}'
where org_id = $2 and id = $3 and disabled_at is null;

-- src/modules/webhooks/event-queries.ts insertDeliveries (system, tenant)
insert into webhook_deliveries (org_id, endpoint_id, message_id, event_type, body)
select $1::bigint, endpoint_id, message_id, event_type, body
from unnest($2::bigint[], $3::text[], $4::text[], $5::text[]) as given (endpoint_id, message_id, event_type, body)
returning id;

-- src/modules/webhooks/event-queries.ts isListenedTo (system, tenant)
select id
from webhook_endpoints
where org_id = $1 and disabled_at is null and $2 = any(event_types)
limit $3;

-- src/modules/webhooks/event-queries.ts listeningEndpoints (system)
select id, url, event_types as "eventTypes", (
  select count(*)
  from (
    select
    from webhook_deliveries d
    where d.org_id = $1 and d.endpoint_id = e.id and d.due_at is not null
    limit $2
  ) as counted
)::int as waiting
from webhook_endpoints e
where org_id = $3 and disabled_at is null
order by id
for update;

-- src/modules/webhooks/event-queries.ts wakeEndpoints (system, tenant)
update webhook_endpoints
set due_at = case when leased_until > now() then due_at else least(due_at, greatest(now(), held_until)) end
where org_id = $1 and id = any($2::bigint[]) and disabled_at is null;

-- src/modules/webhooks/notice-queries.ts nextNotice (tenant)
select e.url, e.disabled_because as because, e.disabled_at as "disabledAt", o.name as organisation,
    json_build_object('id', u.id, 'name', u.name, 'email', u.email) as owner, (
  select replace(last_error, ' The endpoint was disabled.', '')
  from (
    select id, last_error, last_attempt_at
    from webhook_deliveries d
    where d.org_id = $1 and d.endpoint_id = $2 and d.status = 'dead'
    order by d.id desc
    limit $3
  ) as latest
  where last_attempt_at is not null
  order by id desc
  limit 1
) as "lastError"
from webhook_endpoints e
join organisations o on o.id = e.org_id
join users u on u.org_id = e.org_id and u.id = any(e.owners_to_tell) and u.role = 'owner'
where e.org_id = $4 and e.id = $5
order by u.id
limit 1;

-- src/modules/webhooks/notice-queries.ts recordTold (tenant)
update webhook_endpoints
set owners_to_tell = '{}'
where org_id = $1 and id = $2;

-- src/modules/webhooks/notice-queries.ts recordTold (tenant)
update webhook_endpoints
set owners_to_tell = array_remove(owners_to_tell, $1::bigint)
where org_id = $2 and id = $3;

-- src/modules/webhooks/notice-queries.ts untoldEndpoints (system)
select org_id as "orgId", id as "endpointId"
from webhook_endpoints
where owners_to_tell <> '{}' and disabled_at < now() - make_interval(secs => $1::float8)
order by disabled_at
limit $2;

-- src/queue/retention.ts deleteOldAnswers (system)
delete from idempotency_keys
where (org_id, caller, key_hash) in (
  select org_id, caller, key_hash
  from idempotency_keys
  where answered_at < now() - make_interval(secs => $1::float8)
  order by answered_at
  limit $2
  for update skip locked
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
select id, org_id as "orgId", payload, traceparent, attempts
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
insert into outbox (org_id, topic, payload, traceparent)
values ($1, $2, $3, $4);
