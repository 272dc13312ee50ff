-- Organisations, the people who sign in for them, and how they come in: sessions, invitations, mailed links, API keys.
-- The primary key of every tenant table, and so its index, starts with org_id: one organisation's rows are adjacent, no
-- query can be fast without naming the organisation, and a foreign key (org_id, …) cannot point at another tenant.
-- Locks: none that matter, the tables are new.

-- Addresses that were given to register an organisation with, until the link that was mailed there is used. Nothing else
-- is asked for before: a stranger's words and passwords are neither kept nor mailed. The rows belong to no organisation
-- yet, so no request within one may see them.
create table registrations (
  id bigint generated always as identity primary key,
  email text not null unique,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  -- Null until the mail server has taken the mail, or has refused it for good.
  mailed_at timestamptz,
  mail_problem text
);
create index registrations_unmailed on registrations (created_at) where mailed_at is null;
create index registrations_by_expiry on registrations (expires_at);

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
  -- argon2id in the PHC string format, which includes the parameters; 'none' for somebody who has no password.
  password_hash text not null check (password_hash = 'none' or password_hash like '$argon2id$%'),
  created_at timestamptz not null default now(),
  primary key (org_id, id)
);
-- For the guard of the last owner.
create index users_owners on users (org_id, id) where role = 'owner';

create table sessions (
  -- SHA-256 of the token: a leak of this table does not let anyone sign in.
  token_hash bytea primary key,
  org_id bigint not null,
  user_id bigint not null,
  -- Names it to its user, who never sees the token again.
  id bigint generated always as identity,
  -- What the browser said that it is, and where it was: so that people recognise their sessions.
  device text not null default '',
  network text not null default '',
  created_at timestamptz not null default now(),
  -- Written every few minutes at most.
  last_used_at timestamptz not null default now(),
  expires_at timestamptz not null,
  foreign key (org_id, user_id) references users (org_id, id) on delete cascade
);
create unique index sessions_by_user on sessions (org_id, user_id, id);
create index sessions_by_expiry on sessions (expires_at);

-- Who may become a member. The link in the mail is computed (src/mail/personal-link.ts) and holds as long as the row.
create table invitations (
  org_id bigint not null references organisations (id),
  id bigint generated always as identity,
  email text not null,
  role text not null check (role in ('owner', 'admin', 'viewer')),
  -- Their name, for the mail; it outlives their account.
  invited_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  -- Null until the mail server has taken the mail, or has refused it for good.
  mailed_at timestamptz,
  mail_problem text,
  primary key (org_id, id),
  unique (org_id, email)
);
create index invitations_unmailed on invitations (created_at) where mailed_at is null;
create index invitations_by_expiry on invitations (expires_at);

-- Links to choose a new password, mailed to a user: using one deletes its row, and so does asking again in its second half.
create table password_resets (
  org_id bigint not null,
  id bigint generated always as identity,
  user_id bigint not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  mailed_at timestamptz,
  mail_problem text,
  primary key (org_id, id),
  unique (org_id, user_id),
  foreign key (org_id, user_id) references users (org_id, id) on delete cascade
);
create index password_resets_unmailed on password_resets (created_at) where mailed_at is null;
create index password_resets_by_expiry on password_resets (expires_at);

-- Keys for programs. A key can do what its user can, within its scope, and goes with the user.
create table api_keys (
  org_id bigint not null,
  id bigint generated always as identity,
  user_id bigint not null,
  name text not null,
  -- The beginning of the key, which tells keys from each other in lists and logs.
  prefix text not null,
  -- SHA-256 of the whole key, which is shown once.
  key_hash bytea not null unique,
  scope text not null check (scope in ('read', 'write')),
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  expires_at timestamptz,
  primary key (org_id, id),
  foreign key (org_id, user_id) references users (org_id, id) on delete cascade
);
create index api_keys_by_user on api_keys (org_id, user_id);
create index api_keys_by_expiry on api_keys (expires_at);

-- The second factor of those who have set one up (TOTP, RFC 6238). Sealed with a key derived from SECRET_KEY.
create table second_factors (
  org_id bigint not null,
  user_id bigint not null,
  sealed_secret bytea not null,
  created_at timestamptz not null default now(),
  -- Null until a code has shown that the app has the secret: until then it asks for nothing.
  confirmed_at timestamptz,
  -- The time step of the last code that was accepted: it is not accepted again, nor is an older one.
  last_step bigint not null default 0,
  primary key (org_id, user_id),
  foreign key (org_id, user_id) references users (org_id, id) on delete cascade
);

-- For whoever has lost the app. SHA-256 of each; using one deletes its row.
create table recovery_codes (
  org_id bigint not null,
  user_id bigint not null,
  code_hash bytea not null,
  primary key (org_id, user_id, code_hash),
  foreign key (org_id, user_id) references second_factors (org_id, user_id) on delete cascade
);

-- Who somebody is at an OpenID provider: one subject. Whoever has the address there next is another one.
create table oidc_identities (
  org_id bigint not null,
  user_id bigint not null,
  issuer text not null,
  subject text not null,
  created_at timestamptz not null default now(),
  primary key (org_id, user_id, issuer),
  unique (issuer, subject),
  foreign key (org_id, user_id) references users (org_id, id) on delete cascade
);

-- For requests within one organisation. A request cannot do anything that is not granted here.
grant select on organisations to tardigrade_tenant;
grant select, insert, delete on users to tardigrade_tenant;
grant update (role, password_hash) on users to tardigrade_tenant;
grant select, insert, delete on sessions, invitations, password_resets, api_keys to tardigrade_tenant;
grant select, insert, delete on second_factors, recovery_codes, oidc_identities to tardigrade_tenant;
grant update (confirmed_at, last_step) on second_factors to tardigrade_tenant;
grant update (mailed_at, mail_problem) on invitations, password_resets to tardigrade_tenant;

-- For statements that run before the organisation is known (registration, sign-in, finding a session) and for
-- retention.
grant select, insert on organisations, users to tardigrade_system;
grant select, insert, update, delete on registrations to tardigrade_system;
grant select, insert, update, delete on sessions, invitations, password_resets to tardigrade_system; -- update for FOR UPDATE
grant select, update, delete on api_keys to tardigrade_system;
grant select on second_factors, oidc_identities to tardigrade_system; -- a sign-in begins before the organisation is known

select isolate_tenant('organisations', 'id'), isolate_tenant('users'), isolate_tenant('sessions'),
  isolate_tenant('invitations'), isolate_tenant('password_resets'), isolate_tenant('api_keys'),
  isolate_tenant('second_factors'), isolate_tenant('recovery_codes'),
  isolate_tenant('oidc_identities');
