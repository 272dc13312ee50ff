-- Campaigns, and the ledger of the mails that they send.
-- Locks: none that matter, the tables are new.

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
create index reach_outs_by_status on reach_outs (org_id, campaign_id, status, id);

grant select, insert, update on campaigns, campaign_progress, reach_outs to tardigrade_tenant;
-- Launches that are due, and campaigns that stand still.
grant select, insert, update on campaigns to tardigrade_system;
grant select, insert on campaign_progress to tardigrade_system;

select isolate_tenant('campaigns'), isolate_tenant('campaign_progress'), isolate_tenant('reach_outs');
