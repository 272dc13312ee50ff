/**
 * What it is: the record of who did what in an organisation, when, and from where.
 * What fails without it: after an incident nobody can say who exported the data, or who made the stranger an owner.
 * How it works: a verb writes its entry in its own transaction, so that an entry is there if, and only if, what it says
 *   has happened. Names are copied into it, because it outlives what it names. Nobody has the right to change an entry, and
 *   nobody to delete a recent one.
 * What it costs: one row and five index entries per change. Its bound: AUDIT_DAYS.
 * Its proof: test/modules/audit/audit.test.ts; test/scenarios/audited-requests.test.ts sends every operation that writes.
 */
import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import type { SignedIn } from '../../http/app.ts';
import { AUDIT_SUBJECT_CHARS_MAX } from './limits.ts';

/** Who does something; without `userId` nobody is signed in, and `name` says who it is. */
export interface Actor {
  readonly orgId: number;
  readonly userId?: number | undefined;
  readonly name?: string;
  readonly apiKey?: string | undefined;
  readonly network?: string | undefined;
}

export interface SignedInActor extends Actor {
  readonly userId: number;
  readonly sessionId?: number | undefined;
}

/**
 * What was done to what, as `noun.verb` in the past tense, with what its entries have besides. A module adds its own in its
 * `actions.ts`, next to the words for them: `declare module '…/audit.ts' { interface AuditActions extends … }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: modules add to it
export interface AuditActions {}

export type AuditAction = keyof AuditActions & string;

/** By action: what it says to a person who reads the log. */
export type AuditWords = Readonly<Record<`${string}.${string}`, string>>;

export interface AuditEntry {
  readonly action: AuditAction;
  /** Words for a person who reads it in a year. Nobody without an account is named: the log outlives their data. */
  readonly subject?: string;
  readonly details?: Details;
}

export type Details = Readonly<Record<string, string | number | boolean | null>>;

/** The signed-in sender of a request. */
export function actorOf({ user, network }: { readonly user: SignedIn; readonly network: string }): SignedInActor {
  const { orgId, userId, sessionId, apiKey } = user;
  return { orgId, userId, sessionId, apiKey: apiKey?.prefix, network };
}

/** Call it in the transaction that makes the entry true. */
export async function writeAudit(transaction: Db, actor: Actor, entry: AuditEntry): Promise<void> {
  const { orgId, userId = null, name = null, apiKey = null, network = null } = actor;
  const subject = entry.subject?.slice(0, AUDIT_SUBJECT_CHARS_MAX) ?? null;
  await sql`
    insert into audit_log (org_id, actor_id, actor, api_key, network, action, subject, details)
    values (${orgId}::bigint, ${userId}::bigint,
      coalesce((select users.name from users where users.org_id = ${orgId} and users.id = ${userId}::bigint), ${name}::text),
      ${apiKey}, ${network}, ${entry.action}, ${subject}, ${JSON.stringify(entry.details ?? {})}::jsonb)`.execute(
    transaction,
  );
}
