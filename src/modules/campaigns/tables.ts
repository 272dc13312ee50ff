/** Generated from migrations/*.sql by npm run generate:schema. Changes made here are lost. */

import type { GeneratedAlways } from 'kysely';
import type { JsonOf, SetOnce, Time } from '../../db/column-types.ts';
import type { Generated } from '../../db/tables.ts';

export interface CampaignProgress {
  answers: Generated<number>;
  campaign_id: number;
  complaints: Generated<number>;
  failed: Generated<number>;
  finished: Generated<number>;
  noted: Generated<number>;
  noted_at: Time | null;
  opened: Generated<number>;
  org_id: number;
  per_second: number | null;
  possibly_twice: Generated<number>;
  recipients: Generated<number>;
  sent: Generated<number>;
  skipped: Generated<number>;
  suppressed: Generated<number>;
}

export interface Campaigns {
  body: string;
  created_at: SetOnce;
  cron: string | null;
  expand_awaits: number | null;
  expand_position: string | null;
  expanded_to: Generated<number | null>;
  finished_at: Time | null;
  id: GeneratedAlways<number>;
  launch_at: Time | null;
  launched_at: Time | null;
  link_expires_at: Time | null;
  name: string;
  next_try_at: Time | null;
  org_id: number;
  parent_id: number | null;
  paused_about: 'person' | 'sender' | 'server' | 'rate' | null;
  paused_at: Time | null;
  paused_reason: string | null;
  questions: JsonOf<{ text: string; answer: 'text' | 'scale' }[]>;
  status: Generated<'draft' | 'scheduled' | 'sending' | 'paused' | 'done' | 'cancelled'>;
  subject: string;
  time_zone: Generated<string>;
  version: Generated<number>;
}

export interface ReachOuts {
  attempts: Generated<number>;
  bounced_at: Time | null;
  campaign_id: number;
  cause: 'recipient' | 'mail' | 'unsupported' | 'unconfirmed' | 'bounced' | null;
  claim: Generated<number>;
  complained_at: Time | null;
  due_at: Generated<Time | null>;
  employee_id: number;
  error: string | null;
  held: Generated<number>;
  id: GeneratedAlways<number>;
  org_id: number;
  sent_at: Time | null;
  status: Generated<'waiting' | 'sending' | 'sent' | 'failed' | 'skipped'>;
}

declare module '../../db/tables.ts' {
  interface Tables {
    campaign_progress: CampaignProgress;
    campaigns: Campaigns;
    reach_outs: ReachOuts;
  }
}
