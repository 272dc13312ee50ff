-- Addresses that must not be sent mail any more, by organisation, and who lifted that again.
-- Locks: none that matter, the table is new.

create table suppressions (
  org_id bigint not null references organisations (id),
  id bigint generated always as identity,
  -- As src/mail-address.ts writes it. Compared as code points, so that under Row-Level Security an index serves both the
  -- comparison and a search by its beginning.
  address text collate "C" not null,
  reason text not null check (reason in ('bounce', 'complaint', 'person')),
  -- The words of a mail server, or the name of the person who added it.
  detail text not null,
  created_at timestamptz not null default now(),
  -- From then on the address can be sent mail again. The row stays as a record of who decided so.
  lifted_at timestamptz,
  lifted_by text,
  check ((lifted_at is null) = (lifted_by is null)),
  primary key (org_id, id)
);
create unique index suppressions_in_force on suppressions (org_id, address) where lifted_at is null;
create index suppressions_by_address on suppressions (org_id, address, id);
create index suppressions_lifted on suppressions (lifted_at) where lifted_at is not null;

grant select, insert on suppressions to tardigrade_tenant;
grant update (lifted_at, lifted_by) on suppressions to tardigrade_tenant;
grant select, update, delete on suppressions to tardigrade_system; -- retention

select isolate_tenant('suppressions');
