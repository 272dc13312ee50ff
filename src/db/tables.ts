/** Generated from migrations/*.sql by npm run generate:schema. Changes made here are lost. */

import type { ColumnType, GeneratedAlways } from 'kysely';
import type { JsonOf, SetOnce, Time } from './column-types.ts';

export type Generated<T> =
  T extends ColumnType<infer S, infer I, infer U> ? ColumnType<S, I | undefined, U> : ColumnType<T, T | undefined, T>;

export interface AuditLog {
  action: string;
  actor: string | null;
  actor_id: number | null;
  api_key: string | null;
  created_at: SetOnce;
  details: Generated<JsonOf<Record<string, string | number | boolean | null>>>;
  id: GeneratedAlways<number>;
  network: string | null;
  org_id: number;
  subject: string | null;
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
  audit_log: AuditLog;
  organisations: Organisations;
  outbox: Outbox;
  sessions: Sessions;
  users: Users;
}
