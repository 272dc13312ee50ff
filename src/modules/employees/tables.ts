/** Generated from migrations/*.sql by npm run generate:schema. Changes made here are lost. */

import type { GeneratedAlways } from 'kysely';
import type { JsonOf, SetOnce, Time } from '../../db/column-types.ts';
import type { Generated } from '../../db/tables.ts';

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
  reading: JsonOf<{
    encoding: string;
    encodingKnownBy: string;
    delimiter: string;
    headerLine: number | null;
    columns: {
      name: { column: number; title: string | null }[];
      email: { column: number; title: string | null };
      team: { column: number; title: string | null } | null;
    };
  }> | null;
  rejections: Generated<JsonOf<{ line: number; reason: string }[]>>;
  rows_added: Generated<number>;
  rows_read: Generated<number>;
  rows_rejected: Generated<number>;
  rows_unchanged: Generated<number>;
  rows_updated: Generated<number>;
  status: Generated<'waiting' | 'running' | 'done' | 'failed'>;
  touched_at: Generated<Time>;
}

export interface Teams {
  employees: Generated<number>;
  id: GeneratedAlways<number>;
  name: string;
  name_lower: GeneratedAlways<string>;
  org_id: number;
  reachable: Generated<number>;
}

declare module '../../db/tables.ts' {
  interface Tables {
    employees: Employees;
    imports: Imports;
    teams: Teams;
  }
}
