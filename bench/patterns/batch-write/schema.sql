create table items (
  sku text primary key,
  name text not null,
  price integer not null
);
