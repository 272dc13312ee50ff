import type { ColumnType, Generated, GeneratedAlways } from 'kysely';

/** The tables of migrations/*.sql as types. Times are ISO 8601 texts: nobody computes with them here. */
export interface Schema {
  organisations: { id: GeneratedAlways<number>; name: string; created_at: CreatedAt };
  users: {
    org_id: number;
    id: GeneratedAlways<number>;
    email: string;
    name: string;
    role: Role;
    password_hash: string;
    created_at: CreatedAt;
  };
  sessions: { token_hash: Buffer; org_id: number; user_id: number; created_at: CreatedAt; expires_at: Time };
  teams: { org_id: number; id: GeneratedAlways<number>; name: string };
  employees: {
    org_id: number;
    id: GeneratedAlways<number>;
    team_id: number;
    email: string;
    name: string;
    created_at: CreatedAt;
    unsubscribed_at: Time | null;
  };
  imports: {
    org_id: number;
    id: GeneratedAlways<number>;
    file_name: string;
    status: Generated<'waiting' | 'running' | 'done' | 'failed'>;
    rows_read: Generated<number>;
    rows_added: Generated<number>;
    rows_updated: Generated<number>;
    rows_unchanged: Generated<number>;
    rows_rejected: Generated<number>;
    rejections: ColumnType<{ line: number; reason: string }[], string | undefined, string>;
    error: string | null;
    created_at: CreatedAt;
    touched_at: ColumnType<string, string | Date | undefined, string | Date>;
    finished_at: Time | null;
  };
  campaigns: {
    org_id: number;
    id: GeneratedAlways<number>;
    name: string;
    subject: string;
    body: string;
    questions: string[];
    status: Generated<CampaignStatus>;
    launch_at: Time | null;
    cron: string | null;
    time_zone: Generated<string>;
    parent_id: number | null;
    launched_at: Time | null;
    finished_at: Time | null;
    link_expires_at: Time | null;
    expanded_to: ColumnType<number | null, number | null | undefined, number | null>;
    created_at: CreatedAt;
  };
  campaign_progress: {
    org_id: number;
    campaign_id: number;
    recipients: Generated<number>;
    sent: Generated<number>;
    failed: Generated<number>;
    skipped: Generated<number>;
    possibly_twice: Generated<number>;
    opened: Generated<number>;
    finished: Generated<number>;
    answers: Generated<number>;
  };
  reach_outs: {
    org_id: number;
    id: GeneratedAlways<number>;
    campaign_id: number;
    employee_id: number;
    status: Generated<ReachOutStatus>;
    attempts: Generated<number>;
    due_at: ColumnType<string | null, Time | null | undefined, Time | null>;
    sent_at: Time | null;
    error: string | null;
  };
  conversations: {
    org_id: number;
    id: GeneratedAlways<number>;
    campaign_id: number;
    employee_id: number;
    team_id: number;
    reach_out_id: number;
    last_seq: Generated<number>;
    step: Generated<number>;
    answers: Generated<number>;
    score_sum: Generated<number>;
    started_at: CreatedAt;
    last_message_at: ColumnType<string, string | Date | undefined, string | Date>;
    finished_at: Time | null;
  };
  messages: {
    org_id: number;
    conversation_id: number;
    seq: number;
    sender: 'bot' | 'employee';
    nonce: string | null;
    body: string;
    sentiment: number | null;
    created_at: CreatedAt;
  };
  mood_days: { org_id: number; day: string; team_id: number; answers: number; score_sum: number };
  outbox: {
    id: GeneratedAlways<number>;
    org_id: number;
    topic: string;
    payload: ColumnType<unknown, string, never>;
    created_at: CreatedAt;
  };
}

export type Role = 'owner' | 'admin' | 'viewer';
export type CampaignStatus = 'draft' | 'scheduled' | 'sending' | 'done' | 'cancelled';
export type ReachOutStatus = 'waiting' | 'sending' | 'sent' | 'failed' | 'skipped';

type Time = ColumnType<string, string | Date, string | Date>;
type CreatedAt = ColumnType<string, string | Date | undefined, never>;
