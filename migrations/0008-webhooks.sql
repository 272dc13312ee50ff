-- Where organisations want to hear of what happens, and each event that is to be brought there, until it has arrived
-- (src/modules/webhooks/webhooks.ts).
-- Locks: none that matter, the tables are new.

create table webhook_endpoints (
  org_id bigint not null references organisations (id),
  id bigint generated always as identity,
  url text not null,
  description text not null default '',
  event_types text[] not null check (cardinality(event_types) > 0),
  -- Sealed with a key derived from SECRET_KEY. After a rotation the one before it signs as well, for some time.
  sealed_secret bytea not null,
  previous_sealed_secret bytea,
  previous_until timestamptz,
  check ((previous_sealed_secret is null) = (previous_until is null)),
  version integer not null default 1,
  created_at timestamptz not null default now(),
  -- From then on no events are kept for it.
  disabled_at timestamptz,
  disabled_because text check (disabled_because in ('person', 'gone', 'failing', 'backlog')),
  check ((disabled_at is null) = (disabled_because is null)),
  -- Users who have yet to hear of it by mail, by their ids: its owners, when nobody disabled it.
  owners_to_tell bigint[] not null default '{}' check (owners_to_tell = '{}' or disabled_at is not null),
  -- How its last calls went: failures in a row, since when, and until when it is left alone.
  failures integer not null default 0,
  failing_since timestamptz,
  check ((failures = 0) = (failing_since is null)),
  held_until timestamptz,
  -- Its last calls failed, or took long: it shares fewer places with others that are slow.
  is_slow boolean not null default false,
  -- When its next delivery is due; null: none waits.
  due_at timestamptz,
  -- A mailer has it until then. The number is that taking's, under which alone its outcome counts.
  leased_until timestamptz,
  claim integer not null default 0,
  primary key (org_id, id)
);
create index webhook_endpoints_due on webhook_endpoints (is_slow, due_at) where due_at is not null;
create index webhook_endpoints_untold on webhook_endpoints (disabled_at) where owners_to_tell <> '{}';

-- One event for one endpoint. Without a foreign key to it: deleting an endpoint must not delete a month of these at once.
create table webhook_deliveries (
  org_id bigint not null references organisations (id),
  id bigint generated always as identity,
  endpoint_id bigint not null,
  -- What its receiver tells repetitions by: the same for every attempt and every endpoint.
  message_id text not null,
  event_type text not null,
  -- The JSON text, byte for byte, because it is what is signed. It has ids, and no personal data.
  body text not null,
  status text not null default 'waiting' check (status in ('waiting', 'delivered', 'dead')),
  -- Since it was written or replayed.
  attempts smallint not null default 0,
  due_at timestamptz default now(),
  created_at timestamptz not null default now(),
  last_attempt_at timestamptz,
  -- Of the last attempt. Null: there was no answer.
  last_status smallint,
  last_ms integer,
  last_error text,
  check ((status = 'waiting') = (due_at is not null)),
  primary key (org_id, id)
);
create index webhook_deliveries_due on webhook_deliveries (org_id, endpoint_id, due_at, id) where due_at is not null;
create index webhook_deliveries_by_endpoint on webhook_deliveries (org_id, endpoint_id, id);
create index webhook_deliveries_by_status on webhook_deliveries (org_id, endpoint_id, status, id);
create index webhook_deliveries_by_age on webhook_deliveries (created_at);

grant select, insert, update, delete on webhook_endpoints to tardigrade_tenant;
grant select, insert, update on webhook_deliveries to tardigrade_tenant;
-- The relay writes the deliveries of all organisations, the mailer finds who is due, and retention deletes.
grant select, update on webhook_endpoints to tardigrade_system;
grant select, insert, update, delete on webhook_deliveries to tardigrade_system;

select isolate_tenant('webhook_endpoints'), isolate_tenant('webhook_deliveries');
