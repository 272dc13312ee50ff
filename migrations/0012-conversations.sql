-- Conversations, and the messages in them.
-- Locks: none that matter, the tables are new.

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
  -- The seq of the question that waits for its answer; null when the conversation is finished.
  waiting_for integer,
  answers smallint not null default 0,
  -- The mood is score_sum / scored: answers that cannot be scored, or have not been yet, are in `answers` only.
  scored smallint not null default 0,
  -- NaN is greater than every number, so the upper bound refuses it.
  score_sum real not null default 0 check (score_sum > '-infinity' and score_sum < 'infinity'),
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
  -- `person`: somebody of the people team, by the name in `author`.
  sender text not null check (sender in ('bot', 'employee', 'person')),
  author text check ((author is not null) = (sender = 'person')),
  -- Chosen by the client: the same answer sent twice is stored once.
  nonce text,
  body text not null,
  -- Of a question: how it is answered.
  asks text check (asks in ('text', 'scale')),
  -- Of an answer: the seq of the question that it answers.
  question_seq integer,
  -- Of an answer to a question with a scale.
  choice smallint check (choice between 1 and 5),
  -- An answer that the next run of the scorer takes.
  unscored boolean not null default false,
  -- -1 (bad) to 1 (good). Null for questions, for an answer that waits to be scored, and for one that cannot be scored
  -- because its language is not known. NaN is greater than every number, so it is refused too.
  sentiment real check (sentiment between -1 and 1),
  created_at timestamptz not null default now(),
  primary key (org_id, conversation_id, seq),
  foreign key (org_id, conversation_id) references conversations (org_id, id) on delete cascade
);
create unique index messages_by_nonce on messages (org_id, conversation_id, nonce) where nonce is not null;
-- The scorer's queue: an answer leaves it in the transaction that counts its score.
create index messages_unscored on messages (org_id, conversation_id, seq) where unscored;
-- The export's order.
create index messages_answers_by_time on messages (org_id, created_at, conversation_id, seq) where sender = 'employee';

grant select, insert, update on conversations to tardigrade_tenant;
grant select, insert, update (sentiment, unscored) on messages to tardigrade_tenant;
grant select (org_id, unscored) on messages to tardigrade_system; -- which organisations have answers to score
grant select, delete on conversations to tardigrade_system; -- retention

select isolate_tenant('conversations'), isolate_tenant('messages');
