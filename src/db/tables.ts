/** Generated from migrations/*.sql by npm run generate:schema. Changes made here are lost. */

import type { ColumnType, GeneratedAlways } from 'kysely';
import type { JsonOf, SetOnce, Time } from './column-types.ts';

export type Generated<T> =
  T extends ColumnType<infer S, infer I, infer U> ? ColumnType<S, I | undefined, U> : ColumnType<T, T | undefined, T>;

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
  payload: JsonOf<unknown>;
  topic: string;
}

export interface Sessions {
  created_at: SetOnce;
  expires_at: Time;
  org_id: number;
  token_hash: Buffer;
  user_id: number;
}

export interface Suppressions {
  address: string;
  created_at: SetOnce;
  detail: string;
  id: GeneratedAlways<number>;
  lifted_at: Time | null;
  lifted_by: string | null;
  org_id: number;
  reason: 'bounce' | 'complaint' | 'person';
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
  organisations: Organisations;
  outbox: Outbox;
  sessions: Sessions;
  suppressions: Suppressions;
  users: Users;
}
