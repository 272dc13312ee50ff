/** Generated from migrations/*.sql by npm run generate:schema. Changes made here are lost. */

import type { GeneratedAlways } from 'kysely';
import type { SetOnce, Time } from '../../../../src/db/schema.ts';
import type { Generated } from '../../../../src/db/tables.ts';

export interface NoteDays {
  day: string;
  org_id: number;
  written: number;
}

export interface Notes {
  body: string;
  created_at: SetOnce;
  id: GeneratedAlways<number>;
  org_id: number;
  status: Generated<'open' | 'done'>;
  title: string;
  updated_at: Generated<Time>;
  version: Generated<number>;
}

declare module '../../../../src/db/tables.ts' {
  interface Tables {
    note_days: NoteDays;
    notes: Notes;
  }
}
