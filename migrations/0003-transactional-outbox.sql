-- Events that must be delivered if, and only if, the transaction that wrote them commits
-- (src/queue/transactional-outbox.ts).
-- Locks: none that matter, the table is new.

create table outbox (
  id bigint generated always as identity primary key,
  org_id bigint not null,
  topic text not null,
  payload jsonb not null,
  -- The trace of the request that wrote it (W3C), if it had one.
  traceparent text,
  -- The number of failed deliveries, and the earliest time of the next one.
  attempts smallint not null default 0,
  due_at timestamptz not null default now(),
  created_at timestamptz not null default now()
);
create index outbox_by_topic on outbox (topic, due_at, id);

grant insert on outbox to tardigrade_tenant;
grant select, insert, update, delete on outbox to tardigrade_system;

select isolate_tenant('outbox');
