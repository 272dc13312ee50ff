-- Which account the money goes to is known only once the account that it comes from is read, and locked.
create table accounts (
  id integer primary key,
  pays_into integer not null,
  balance integer not null default 0,
  payments integer not null default 0
);
