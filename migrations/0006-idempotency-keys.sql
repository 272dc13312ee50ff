-- Answers to requests that came with an Idempotency-Key, kept in the transaction of what they answer
-- (src/db/idempotency-key.ts).
-- Locks: none that matter, the table is new.

create table idempotency_keys (
  -- 0 for what somebody who is not signed in wrote across organisations.
  org_id bigint not null,
  -- Whose key it is: two people of an organisation may use the same text.
  caller text not null,
  -- SHA-256 of the key: the key itself also encrypts the body, so that a leak of this table shows no answer.
  key_hash bytea not null,
  -- SHA-256 of the request, to tell a repetition from another request with the same key.
  request_hash bytea not null,
  status smallint not null,
  headers jsonb not null,
  -- Encrypted; null for an answer that was too large to keep.
  body bytea,
  answered_at timestamptz not null default now(),
  primary key (org_id, caller, key_hash)
);
comment on column idempotency_keys.headers is 'json: Record<string, string>';
create index idempotency_keys_by_time on idempotency_keys (answered_at);
-- For somebody who is not signed in, whose organisation is not known yet.
create index idempotency_keys_by_key on idempotency_keys (key_hash);

grant select, insert, update on idempotency_keys to tardigrade_tenant;
grant select, insert, update, delete on idempotency_keys to tardigrade_system;

select isolate_tenant('idempotency_keys');
