create table channels (
  id bigint primary key,
  last_seq integer not null default 0
);

create table lines (
  org_id bigint not null,
  channel_id bigint not null references channels,
  seq integer not null,
  nonce text,
  text text not null,
  primary key (org_id, channel_id, seq)
);

create unique index lines_by_nonce on lines (org_id, channel_id, nonce) where nonce is not null;
