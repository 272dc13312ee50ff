create table orders (
  id bigint generated always as identity primary key,
  org_id bigint not null,
  text text not null
);
grant select, insert on orders to tardigrade_tenant;

-- As in migrations/0008-idempotency-keys.sql.
create table idempotency_keys (
  org_id bigint not null,
  caller text not null,
  key_hash bytea not null,
  request_hash bytea not null,
  status smallint not null,
  headers jsonb not null,
  body bytea,
  answered_at timestamptz not null default now(),
  primary key (org_id, caller, key_hash)
);
grant select, insert, update on idempotency_keys to tardigrade_tenant;

create table answers (
  key text primary key,
  body text not null
);
grant select, insert on answers to tardigrade_tenant;
