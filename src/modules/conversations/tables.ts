/** Generated from migrations/*.sql by npm run generate:schema. Changes made here are lost. */

import type { GeneratedAlways } from 'kysely';
import type { SetOnce, Time } from '../../db/column-types.ts';
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
  scored: Generated<number>;
  started_at: SetOnce;
  step: Generated<number>;
  team_id: number;
  waiting_for: number | null;
}

export interface Messages {
  asks: 'text' | 'scale' | null;
  author: string | null;
  body: string;
  choice: number | null;
  conversation_id: number;
  created_at: SetOnce;
  nonce: string | null;
  org_id: number;
  question_seq: number | null;
  sender: 'bot' | 'employee' | 'person';
  sentiment: number | null;
  seq: number;
  unscored: Generated<boolean>;
}

declare module '../../db/tables.ts' {
  interface Tables {
    conversations: Conversations;
    messages: Messages;
  }
}
