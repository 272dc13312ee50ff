/** Generated from migrations/*.sql by npm run generate:schema. Changes made here are lost. */

import type { ColumnType, GeneratedAlways } from 'kysely';
import type { JsonOf, SetOnce, Time } from './column-types.ts';

export type Generated<T> =
  T extends ColumnType<infer S, infer I, infer U> ? ColumnType<S, I | undefined, U> : ColumnType<T, T | undefined, T>;

export interface Alerts {
  clear_since: Time | null;
  detail: string;
  fired_at: Time | null;
  over_at: Time | null;
  process: string;
  rule: string;
  since: Time;
  telling_since: Time | null;
  told_at: Time | null;
  value: number;
}

export interface ApiKeys {
  created_at: SetOnce;
  expires_at: Time | null;
  id: GeneratedAlways<number>;
  key_hash: Buffer;
  last_used_at: Time | null;
  name: string;
  org_id: number;
  prefix: string;
  scope: 'read' | 'write';
  user_id: number;
}

export interface AskedStops {
  life: string;
  stopped_at: Generated<Time>;
}

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

export interface Backups {
  bytes: number | null;
  finished_at: Generated<Time>;
  id: GeneratedAlways<number>;
  kind: string;
}

export interface IdempotencyKeys {
  answered_at: Generated<Time>;
  body: Buffer | null;
  caller: string;
  headers: JsonOf<Record<string, string>>;
  key_hash: Buffer;
  org_id: number;
  request_hash: Buffer;
  status: number;
}

export interface Invitations {
  created_at: SetOnce;
  email: string;
  expires_at: Time;
  id: GeneratedAlways<number>;
  invited_by: string;
  mail_problem: string | null;
  mailed_at: Time | null;
  org_id: number;
  role: 'owner' | 'admin' | 'viewer';
}

export interface OidcIdentities {
  created_at: SetOnce;
  issuer: string;
  org_id: number;
  subject: string;
  user_id: number;
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
  traceparent: string | null;
}

export interface PasswordResets {
  created_at: SetOnce;
  expires_at: Time;
  id: GeneratedAlways<number>;
  mail_problem: string | null;
  mailed_at: Time | null;
  org_id: number;
  user_id: number;
}

export interface RecoveryCodes {
  code_hash: Buffer;
  org_id: number;
  user_id: number;
}

export interface Registrations {
  created_at: SetOnce;
  email: string;
  expires_at: Time;
  id: GeneratedAlways<number>;
  mail_problem: string | null;
  mailed_at: Time | null;
}

export interface SecondFactors {
  confirmed_at: Time | null;
  created_at: SetOnce;
  last_step: Generated<number>;
  org_id: number;
  sealed_secret: Buffer;
  user_id: number;
}

export interface Sessions {
  created_at: SetOnce;
  device: Generated<string>;
  expires_at: Time;
  id: GeneratedAlways<number>;
  last_used_at: Generated<Time>;
  network: Generated<string>;
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

export interface WebhookDeliveries {
  attempts: Generated<number>;
  body: string;
  created_at: SetOnce;
  due_at: Generated<Time | null>;
  endpoint_id: number;
  event_type: string;
  id: GeneratedAlways<number>;
  last_attempt_at: Time | null;
  last_error: string | null;
  last_ms: number | null;
  last_status: number | null;
  message_id: string;
  org_id: number;
  status: Generated<'waiting' | 'delivered' | 'dead'>;
}

export interface WebhookEndpoints {
  claim: Generated<number>;
  created_at: SetOnce;
  description: Generated<string>;
  disabled_at: Time | null;
  disabled_because: 'person' | 'gone' | 'failing' | 'backlog' | null;
  due_at: Time | null;
  event_types: string[];
  failing_since: Time | null;
  failures: Generated<number>;
  held_until: Time | null;
  id: GeneratedAlways<number>;
  is_slow: Generated<boolean>;
  leased_until: Time | null;
  org_id: number;
  owners_to_tell: Generated<number[]>;
  previous_sealed_secret: Buffer | null;
  previous_until: Time | null;
  sealed_secret: Buffer;
  url: string;
  version: Generated<number>;
}

export interface Tables {
  alerts: Alerts;
  api_keys: ApiKeys;
  asked_stops: AskedStops;
  audit_log: AuditLog;
  backups: Backups;
  idempotency_keys: IdempotencyKeys;
  invitations: Invitations;
  oidc_identities: OidcIdentities;
  organisations: Organisations;
  outbox: Outbox;
  password_resets: PasswordResets;
  recovery_codes: RecoveryCodes;
  registrations: Registrations;
  second_factors: SecondFactors;
  sessions: Sessions;
  suppressions: Suppressions;
  users: Users;
  webhook_deliveries: WebhookDeliveries;
  webhook_endpoints: WebhookEndpoints;
}
