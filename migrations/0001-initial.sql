-- The first shape of the product.
-- Every table of a tenant starts its primary key, and so its index, with org_id: one organisation's rows lie together,
-- no query can be fast without naming the organisation, and a foreign key (org_id, …) cannot point at another tenant.
-- Locks: none that matter, the tables are new.

create table organisations (
  id bigint generated always as identity primary key,
  name text not null,
  created_at timestamptz not null default now()
);

create table users (
  org_id bigint not null references organisations (id),
  id bigint generated always as identity,
  email text not null unique,
  name text not null,
  role text not null check (role in ('owner', 'admin', 'viewer')),
  -- argon2id in the PHC string format; the parameters travel with the hash.
  password_hash text not null,
  created_at timestamptz not null default now(),
  primary key (org_id, id)
);

create table sessions (
  -- SHA-256 of the token: who reads this table can sign in as nobody.
  token_hash bytea primary key,
  org_id bigint not null,
  user_id bigint not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  foreign key (org_id, user_id) references users (org_id, id) on delete cascade
);
create index sessions_by_user on sessions (org_id, user_id);
create index sessions_by_expiry on sessions (expires_at);

create table teams (
  org_id bigint not null references organisations (id),
  id bigint generated always as identity,
  name text not null,
  primary key (org_id, id),
  unique (org_id, name)
);

create table employees (
  org_id bigint not null,
  id bigint generated always as identity,
  team_id bigint not null,
  email text not null,
  name text not null,
  created_at timestamptz not null default now(),
  unsubscribed_at timestamptz,
  primary key (org_id, id),
  unique (org_id, email),
  foreign key (org_id, team_id) references teams (org_id, id)
);
create index employees_by_team on employees (org_id, team_id, id);
create index employees_by_name on employees (org_id, lower(name) text_pattern_ops);

create table imports (
  org_id bigint not null references organisations (id),
  id bigint generated always as identity,
  file_name text not null,
  status text not null default 'waiting' check (status in ('waiting', 'running', 'done', 'failed')),
  rows_read integer not null default 0,
  rows_added integer not null default 0,
  rows_updated integer not null default 0,
  rows_unchanged integer not null default 0,
  rows_rejected integer not null default 0,
  -- [{"line": 12, "reason": "…"}], the first IMPORT_REJECTIONS_KEPT
  rejections jsonb not null default '[]',
  error text,
  created_at timestamptz not null default now(),
  -- A running import that was not touched for a while belongs to a process that died.
  touched_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (org_id, id)
);

create table campaigns (
  org_id bigint not null references organisations (id),
  id bigint generated always as identity,
  name text not null,
  subject text not null,
  body text not null,
  questions text[] not null,
  status text not null default 'draft' check (status in ('draft', 'scheduled', 'sending', 'done', 'cancelled')),
  -- The next launch of a scheduled campaign.
  launch_at timestamptz,
  -- With a cron expression the campaign is a template: each launch makes a child that is sent.
  cron text,
  time_zone text not null default 'UTC',
  parent_id bigint,
  launched_at timestamptz,
  finished_at timestamptz,
  link_expires_at timestamptz,
  -- How far the employees were written into reach_outs: the last employee id; null when all are.
  expanded_to bigint default 0,
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  -- One child per slot, whoever looks at the clock and however often.
  unique (org_id, parent_id, launch_at),
  foreign key (org_id, parent_id) references campaigns (org_id, id)
);
create index campaigns_due on campaigns (launch_at) where status = 'scheduled';
create index campaigns_sending on campaigns (id) where status = 'sending';

-- Counters apart from the campaign: they change with every mail and answer, and a narrow row with room to spare is
-- updated in place (HOT) without touching an index.
create table campaign_progress (
  org_id bigint not null,
  campaign_id bigint not null,
  recipients integer not null default 0,
  sent integer not null default 0,
  failed integer not null default 0,
  skipped integer not null default 0,
  -- Mails whose process died between sending and writing it down: each may have been delivered twice.
  possibly_twice integer not null default 0,
  opened integer not null default 0,
  finished integer not null default 0,
  answers integer not null default 0,
  primary key (org_id, campaign_id),
  foreign key (org_id, campaign_id) references campaigns (org_id, id) on delete cascade
) with (fillfactor = 50);

-- The ledger: one row per person and campaign. It, not the queue, knows who was written to.
create table reach_outs (
  org_id bigint not null,
  id bigint generated always as identity,
  campaign_id bigint not null,
  employee_id bigint not null,
  status text not null default 'waiting' check (status in ('waiting', 'sending', 'sent', 'failed', 'skipped')),
  attempts smallint not null default 0,
  -- waiting: not before; sending: the lease ends, whoever took it is dead; null: nothing more to do.
  due_at timestamptz default now(),
  sent_at timestamptz,
  error text,
  primary key (org_id, id),
  unique (org_id, campaign_id, employee_id),
  foreign key (org_id, campaign_id) references campaigns (org_id, id) on delete cascade,
  foreign key (org_id, employee_id) references employees (org_id, id) on delete cascade
) with (fillfactor = 80);
create index reach_outs_due on reach_outs (org_id, campaign_id, due_at, id) where due_at is not null;
create index reach_outs_by_campaign on reach_outs (org_id, campaign_id, id);
create index reach_outs_by_employee on reach_outs (org_id, employee_id);

create table conversations (
  org_id bigint not null,
  id bigint generated always as identity,
  campaign_id bigint not null,
  employee_id bigint not null,
  team_id bigint not null,
  reach_out_id bigint not null,
  last_seq integer not null default 0,
  -- Questions asked so far; beyond the last one the conversation is finished.
  step smallint not null default 0,
  answers smallint not null default 0,
  score_sum real not null default 0,
  started_at timestamptz not null default now(),
  last_message_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (org_id, id),
  unique (org_id, reach_out_id),
  foreign key (org_id, campaign_id) references campaigns (org_id, id) on delete cascade,
  foreign key (org_id, employee_id) references employees (org_id, id) on delete cascade,
  foreign key (org_id, team_id) references teams (org_id, id)
) with (fillfactor = 80);
create index conversations_by_campaign on conversations (org_id, campaign_id, id);
create index conversations_by_employee on conversations (org_id, employee_id, id);
create index conversations_by_start on conversations (org_id, started_at, id);

create table messages (
  org_id bigint not null,
  conversation_id bigint not null,
  -- 1, 2, 3 … without a gap: assigned in the transaction that stores the message.
  seq integer not null,
  sender text not null check (sender in ('bot', 'employee')),
  -- Chosen by the client: the same answer sent twice is stored once.
  nonce text,
  body text not null,
  -- -1 (bad) to 1 (good); null for the bot's own words.
  sentiment real,
  created_at timestamptz not null default now(),
  primary key (org_id, conversation_id, seq),
  foreign key (org_id, conversation_id) references conversations (org_id, id) on delete cascade
);
create unique index messages_by_nonce on messages (org_id, conversation_id, nonce) where nonce is not null;

-- Mood by team and day, kept up to date by the transaction that stores an answer.
create table mood_days (
  org_id bigint not null,
  day date not null,
  team_id bigint not null,
  answers integer not null,
  score_sum real not null,
  primary key (org_id, day, team_id),
  foreign key (org_id, team_id) references teams (org_id, id) on delete cascade
) with (fillfactor = 70);

-- What must reach the queue if, and only if, the transaction that wrote it commits.
create table outbox (
  id bigint generated always as identity primary key,
  org_id bigint not null,
  topic text not null,
  payload jsonb not null,
  created_at timestamptz not null default now()
);
