/** Generated from migrations/*.sql by npm run generate:schema. Changes made here are lost. */

import type { GeneratedAlways } from 'kysely';
import type { SetOnce, Time } from '../../db/schema.ts';
import type { Generated } from '../../db/tables.ts';

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

declare module '../../db/tables.ts' {
  interface Tables {
    conversations: Conversations;
    messages: Messages;
  }
}
