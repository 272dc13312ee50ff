/**
 * What it is: every statement runs as a role that sees the rows of one organisation only, whatever its WHERE clause.
 * What fails without it: one query that forgets `org_id = …` shows a customer another customer's rows.
 * How it works: Row-Level Security is forced on every table (migrations/0001-tenant-isolation.sql). The login role has no
 *   privileges; each statement takes one of the two roles below, and the organisation, for its own transaction
 *   (statement-scope). Nothing is left on the connection for its next user, even through PgBouncer. It fails closed:
 *   without a scope PostgreSQL answers "permission denied", without an organisation it raises an error.
 * What it costs: about 1.2 times the time of a page of 50 rows, 1.4 times that of a single row
 *   (bench/results/patterns.json).
 * Its bound: none needed. Its proof: test/db/tenant-isolation.test.ts, test/db/connection.test.ts,
 *   bench/patterns/tenant-isolation.
 */

/** Whose rows: one organisation's, by its id. */
export type Scope = number | typeof EVERY_ORGANISATION;

/** For statements that run before the organisation is known (sign-in), and for jobs that work across organisations. */
export const EVERY_ORGANISATION = 'every organisation';

/** For rows that belong to none, such as an event before there is an organisation. */
export const NO_ORGANISATION = 0;

const ROLE = { tenant: 'tardigrade_tenant', system: 'tardigrade_system' } as const;

/** The role that a scope takes, and its organisation as the policies read it. */
export function roleOf(scope: Scope): { readonly role: string; readonly organisation: string } {
  if (scope === EVERY_ORGANISATION) return { role: ROLE.system, organisation: '' };
  if (!Number.isSafeInteger(scope))
    throw new TypeError(`The id of an organisation must be a whole number, not ${scope}`);
  return { role: ROLE.tenant, organisation: String(scope) };
}
