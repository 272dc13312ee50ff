/** Generated from migrations/*.sql by npm run generate:schema. Changes made here are lost. */

import type { ColumnType, GeneratedAlways } from 'kysely';
import type { Payload, Rejections, SetOnce, Time } from './schema.ts';

export type Generated<T> =
  T extends ColumnType<infer S, infer I, infer U> ? ColumnType<S, I | undefined, U> : ColumnType<T, T | undefined, T>;

export interface CampaignProgress {
  answers: Generated<number>;
  campaign_id: number;
  failed: Generated<number>;
  finished: Generated<number>;
  opened: Generated<number>;
  org_id: number;
  possibly_twice: Generated<number>;
  recipients: Generated<number>;
  sent: Generated<number>;
  skipped: Generated<number>;
}

export interface Campaigns {
  body: string;
  created_at: SetOnce;
  cron: string | null;
  expanded_to: Generated<number | null>;
  finished_at: Time | null;
  id: GeneratedAlways<number>;
  launch_at: Time | null;
  launched_at: Time | null;
  link_expires_at: Time | null;
  name: string;
  org_id: number;
  parent_id: number | null;
  questions: string[];
  status: Generated<'draft' | 'scheduled' | 'sending' | 'done' | 'cancelled'>;
  subject: string;
  time_zone: Generated<string>;
}

export interface Conversations {
  answers: Generated<number>;
  campaign_id: number;
  employee_id: number;
  finished_at: Time | null;
  id: GeneratedAlways<number>;
  last_message_at: Generated<Time>;
  last_seq: Generated<number>;
  org_id: number;
  reach_out_id: number;
  score_sum: Generated<number>;
  started_at: SetOnce;
  step: Generated<number>;
  team_id: number;
}

export interface Employees {
  created_at: SetOnce;
  email: string;
  id: GeneratedAlways<number>;
  name: string;
  name_lower: GeneratedAlways<string>;
  org_id: number;
  team_id: number;
  unsubscribed_at: Time | null;
}

export interface Imports {
  created_at: SetOnce;
  error: string | null;
  file_name: string;
  finished_at: Time | null;
  id: GeneratedAlways<number>;
  org_id: number;
  /**
   * json: { line: number; reason: string }[]
   */
  rejections: Rejections;
  rows_added: Generated<number>;
  rows_read: Generated<number>;
  rows_rejected: Generated<number>;
  rows_unchanged: Generated<number>;
  rows_updated: Generated<number>;
  status: Generated<'waiting' | 'running' | 'done' | 'failed'>;
  touched_at: Generated<Time>;
}

export interface Messages {
  body: string;
  conversation_id: number;
  created_at: SetOnce;
  nonce: string | null;
  org_id: number;
  sender: 'bot' | 'employee';
  sentiment: number | null;
  seq: number;
}

export interface MoodDays {
  answers: number;
  day: string;
  org_id: number;
  score_sum: number;
  team_id: number;
}

export interface Organisations {
  created_at: SetOnce;
  id: GeneratedAlways<number>;
  name: string;
}

export interface Outbox {
  attempts: Generated<number>;
  created_at: SetOnce;
  due_at: Generated<Time>;
  id: GeneratedAlways<number>;
  org_id: number;
  payload: Payload;
  topic: string;
}

export interface ReachOuts {
  attempts: Generated<number>;
  campaign_id: number;
  due_at: Generated<Time | null>;
  employee_id: number;
  error: string | null;
  id: GeneratedAlways<number>;
  org_id: number;
  sent_at: Time | null;
  status: Generated<'waiting' | 'sending' | 'sent' | 'failed' | 'skipped'>;
}

export interface Sessions {
  created_at: SetOnce;
  expires_at: Time;
  org_id: number;
  token_hash: Buffer;
  user_id: number;
}

export interface Teams {
  employees: Generated<number>;
  id: GeneratedAlways<number>;
  name: string;
  org_id: number;
  reachable: Generated<number>;
}

export interface Users {
  created_at: SetOnce;
  email: string;
  id: GeneratedAlways<number>;
  name: string;
  org_id: number;
  password_hash: string;
  role: 'owner' | 'admin' | 'viewer';
}

export interface Tables {
  campaign_progress: CampaignProgress;
  campaigns: Campaigns;
  conversations: Conversations;
  employees: Employees;
  imports: Imports;
  messages: Messages;
  mood_days: MoodDays;
  organisations: Organisations;
  outbox: Outbox;
  reach_outs: ReachOuts;
  sessions: Sessions;
  teams: Teams;
  users: Users;
}
