-- One policy for the role that src/db/tenant-isolation.ts gives to every statement.
create table documents (
  org_id bigint not null,
  id bigint generated always as identity,
  title text not null,
  body text not null,
  primary key (org_id, id)
);
create index documents_by_title on documents (title);

alter table documents enable row level security, force row level security;
create policy tenant on documents to tardigrade_tenant using (org_id = current_setting('app.org')::bigint);
grant select on documents to tardigrade_tenant;
