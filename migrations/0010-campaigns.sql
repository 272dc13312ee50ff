-- Campaigns, and the ledger of their mails.
-- Locks: none that matter, the tables are new.

create table campaigns (
  org_id bigint not null references organisations (id),
  id bigint generated always as identity,
  name text not null,
  subject text not null,
  body text not null,
  questions jsonb not null check (jsonb_array_length(questions) > 0),
  status text not null default 'draft' check (status in ('draft', 'scheduled', 'sending', 'paused', 'done', 'cancelled')),
  -- The next launch of a scheduled campaign.
  launch_at timestamptz,
  -- With a cron expression the campaign is a template: each launch creates a child, and the child is sent.
  cron text,
  time_zone text not null default 'UTC',
  parent_id bigint,
  launched_at timestamptz,
  finished_at timestamptz,
  link_expires_at timestamptz,
  -- The last employee that has been written into reach_outs; null when all have been.
  expanded_to bigint default 0,
  -- Where the employees are read from: a replica that has replayed this position has all who are to be written to.
  expand_position text,
  -- Transactions below this one may have added employees before the launch and commit after it; null when all have ended.
  expand_awaits bigint,
  -- Why no mail goes out: a person has paused it (then the status is paused too), or the mail server takes none from us,
  -- because of the sender, of itself or of our rate. `paused_reason` has the server's words.
  paused_about text check (paused_about in ('person', 'sender', 'server', 'rate')),
  paused_reason text,
  paused_at timestamptz,
  -- When the server is asked again; null when only a person resumes it.
  next_try_at timestamptz,
  created_at timestamptz not null default now(),
  -- Counts what people do to it, so that nobody changes or launches what they have not seen.
  version integer not null default 1,
  primary key (org_id, id),
  -- One child per slot, even if several processes launch it.
  unique (org_id, parent_id, launch_at),
  foreign key (org_id, parent_id) references campaigns (org_id, id) on delete set null (parent_id)
);
comment on column campaigns.questions is 'json: { text: string; answer: ''text'' | ''scale'' }[]';
create index campaigns_due on campaigns (launch_at) where status = 'scheduled';
create index campaigns_sending on campaigns (id) where status = 'sending';
-- Those that no mail goes out for, although nobody has paused them: few, and usually none.
create index campaigns_stopped on campaigns (org_id) where paused_about <> 'person';
create index campaigns_finished on campaigns (finished_at) where finished_at is not null;

-- The counters have their own table: they change with every mail and answer, and a narrow row on a page with free space
-- is updated in place (HOT) without touching an index.
create table campaign_progress (
  org_id bigint not null,
  campaign_id bigint not null,
  recipients integer not null default 0,
  sent integer not null default 0,
  failed integer not null default 0,
  skipped integer not null default 0,
  -- Of the skipped ones: because the address must not be sent mail.
  suppressed integer not null default 0,
  -- Of the sent ones: marked as spam by their readers.
  complaints integer not null default 0,
  -- Mails whose process died between sending them and recording it: each may have been delivered twice.
  possibly_twice integer not null default 0,
  opened integer not null default 0,
  finished integer not null default 0,
  answers integer not null default 0,
  -- How fast it is sent: how many were dealt with when that was last noted, and how many a second since the note before.
  noted integer not null default 0,
  noted_at timestamptz,
  per_second real,
  primary key (org_id, campaign_id),
  foreign key (org_id, campaign_id) references campaigns (org_id, id) on delete cascade
) with (fillfactor = 50);

-- The ledger: one row per person and campaign. This table, not the queue, is the record of who was sent a mail.
create table reach_outs (
  org_id bigint not null,
  id bigint generated always as identity,
  campaign_id bigint not null,
  employee_id bigint not null,
  status text not null default 'waiting' check (status in ('waiting', 'sending', 'sent', 'failed', 'skipped')),
  attempts smallint not null default 0,
  -- The fencing token: the number of times that it has been claimed. An outcome is recorded only under the claim that it
  -- belongs to.
  claim integer not null default 0,
  -- How often it was refused for a reason that is not about its recipient.
  held smallint not null default 0,
  -- waiting: the earliest time to send; sending: the end of the lease, after which the sender is dead; null: done.
  due_at timestamptz default now(),
  sent_at timestamptz,
  error text,
  -- Of a failed one: the recipient or the mail was refused, our mail server cannot write such an address, it never said
  -- whether it took the mail, or took it and another server returned it.
  cause text check (cause in ('recipient', 'mail', 'unsupported', 'unconfirmed', 'bounced')),
  -- When it was reported, so that the same report changes nothing a second time. A bounce can be faster than the
  -- outcome of sending it is recorded.
  bounced_at timestamptz,
  complained_at timestamptz,
  check (status <> 'failed' or cause is not null),
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
-- For launching due campaigns, and for resuming those that have stalled.
grant select, insert, update on campaigns to tardigrade_system;
grant select, insert on campaign_progress to tardigrade_system;

-- For retention.
grant delete on campaigns, reach_outs to tardigrade_system;
grant select (org_id, id, campaign_id) on reach_outs to tardigrade_system;

select isolate_tenant('campaigns'), isolate_tenant('campaign_progress'), isolate_tenant('reach_outs');
