create table documents (
  id integer primary key,
  lines integer[] not null,
  version integer not null default 1
);
