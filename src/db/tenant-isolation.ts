/**
 * What it is: every statement runs as a role that sees the rows of one organisation, whatever its WHERE says.
 * What fails without it: one query that forgets `org_id = …` shows a customer another customer's rows.
 * How it works: Row-Level Security is forced on every table (migrations/0001-tenant-isolation.sql). The login role has no
 *   right of its own; each statement takes one of the two roles below for its own transaction, together with the
 *   organisation (statement-scope). Nothing is left on the connection for its next user, be it through PgBouncer. It
 *   fails closed: without a scope PostgreSQL answers "permission denied", without an organisation it raises an error.
 * What it costs: see bench/patterns/tenant-isolation. Its bound: none needed.
 * Its proof: test/db/tenant-isolation.test.ts.
 */

/** Whose rows: one organisation's, by its id. */
export type Scope = number | typeof EVERY_ORGANISATION;

/** For what comes before the organisation is known (sign-in), and for jobs that look after all organisations. */
export const EVERY_ORGANISATION = 'every organisation';

const ROLE = { tenant: 'tardigrade_tenant', system: 'tardigrade_system' } as const;

/** The role that a scope takes, and its organisation as the policies read it. */
export function roleOf(scope: Scope): { readonly role: string; readonly organisation: string } {
  if (scope === EVERY_ORGANISATION) return { role: ROLE.system, organisation: '' };
  if (!Number.isSafeInteger(scope)) throw new TypeError(`An organisation is a whole number, not ${scope}`);
  return { role: ROLE.tenant, organisation: String(scope) };
}
