-- The outbox is that of migrations/, and the deliveries are a small form of theirs, both without policies.
create table orders (
  org_id bigint not null,
  id integer primary key
);
create table outbox (
  id bigint generated always as identity primary key,
  org_id bigint not null,
  topic text not null,
  payload jsonb not null,
  traceparent text,
  attempts smallint not null default 0,
  due_at timestamptz not null default now(),
  created_at timestamptz not null default now()
);
create index outbox_by_topic on outbox (topic, due_at, id);
create table deliveries (
  id bigint generated always as identity primary key,
  order_id integer not null,
  url text not null,
  attempts smallint not null default 0,
  due_at timestamptz not null default now()
);
create index deliveries_due on deliveries (due_at);
grant select, insert on orders to tardigrade_tenant;
grant insert on outbox to tardigrade_tenant;
grant select, insert, update, delete on outbox, deliveries to tardigrade_system;
