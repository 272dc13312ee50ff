-- Organisations, the people who sign in for them, and their sessions.
-- The primary key of every tenant table, and so its index, starts with org_id: one organisation's rows are adjacent, no
-- query can be fast without naming the organisation, and a foreign key (org_id, …) cannot point at another tenant.
-- Locks: none that matter, the tables are new.

create table organisations (
  id bigint generated always as identity primary key,
  name text not null,
  created_at timestamptz not null default now()
);

create table users (
  org_id bigint not null references organisations (id),
  id bigint generated always as identity,
  email text not null unique,
  name text not null,
  role text not null check (role in ('owner', 'admin', 'viewer')),
  -- argon2id in the PHC string format, which includes the parameters.
  password_hash text not null,
  created_at timestamptz not null default now(),
  primary key (org_id, id)
);

create table sessions (
  -- SHA-256 of the token: a leak of this table does not let anyone sign in.
  token_hash bytea primary key,
  org_id bigint not null,
  user_id bigint not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  foreign key (org_id, user_id) references users (org_id, id) on delete cascade
);
create index sessions_by_user on sessions (org_id, user_id);
create index sessions_by_expiry on sessions (expires_at);

-- For requests within one organisation. A request cannot do anything that is not granted here.
grant select on organisations, users to tardigrade_tenant;
grant insert, delete on sessions to tardigrade_tenant;
grant select (token_hash, org_id) on sessions to tardigrade_tenant;

-- For statements that run before the organisation is known (registration, sign-in, finding a session) and for
-- retention.
grant select, insert on organisations, users to tardigrade_system;
grant select, insert, update, delete on sessions to tardigrade_system; -- update for its FOR UPDATE

select isolate_tenant('organisations', 'id'), isolate_tenant('users'), isolate_tenant('sessions');
