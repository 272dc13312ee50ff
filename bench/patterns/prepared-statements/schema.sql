create table customers (
  id integer primary key,
  name text not null
);

create table items (
  id integer primary key,
  name text not null
);

create table warehouses (
  id integer primary key,
  city text not null
);

create table orders (
  id integer primary key,
  customer_id integer not null references customers (id),
  item_id integer not null references items (id),
  warehouse_id integer not null references warehouses (id),
  units integer not null,
  note text
);
