-- Reads on the replica run as the processes' own role, within one organisation.
create table documents (
  id integer generated always as identity primary key,
  title text not null
);
grant select, update on documents to tardigrade_tenant;
