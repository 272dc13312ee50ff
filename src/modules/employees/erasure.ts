/**
 * What an organisation has to be able to do for one person (GDPR, articles 15 and 17): show everything that it holds about
 * them, and delete it. Each module says what its tables hold (the face `person`); test/modules/employees/erasure.test.ts
 * looks into every table for a text of somebody who was erased. Figures of whole teams stay: they name nobody. So does the
 * suppression of their address: without it the next import would have them sent to again. Texts of the organisation's own,
 * such as the name of a file or of a team, are not looked into.
 */
import type { DatabaseSession } from '../../db/read-write-split.ts';
import { AppError } from '../../errors.ts';
import { type SignedInActor, writeAudit } from '../audit/audit.ts';
import type { PersonalData } from '../faces.ts';
import { suppressionsOf } from '../suppressions/suppressions.ts';
import { forgetQuotes } from './import-quotes.ts';
import { PERSON_ROWS_MAX } from './limits.ts';

/** By table. Throws `not_found`. That somebody has seen it is in the audit log. */
export async function exportPerson(
  db: DatabaseSession,
  person: PersonalData,
  actor: SignedInActor,
  id: number,
): Promise<Record<string, object[]>> {
  return db.write(async (transaction) => {
    const tables: Record<string, object[]> = {};
    for (const [table, rowsOf] of Object.entries(person)) tables[table] = await rowsOf(transaction, actor.orgId, id);
    const [employee] = (tables['employees'] ?? []) as { email?: string }[];
    if (employee?.email === undefined) throw notFound();
    tables['suppressions'] = await suppressionsOf(transaction, actor.orgId, employee.email, PERSON_ROWS_MAX);
    await writeAudit(transaction, actor, { action: 'employee.exported', subject: nameless(id) });
    return tables;
  });
}

/** Throws `not_found`. */
export async function erasePerson(db: DatabaseSession, actor: SignedInActor, id: number): Promise<void> {
  await db.write(async (transaction) => {
    const erased = await transaction
      .deleteFrom('employees')
      .where('org_id', '=', actor.orgId)
      .where('id', '=', id)
      .returning('id')
      .executeTakeFirst();
    if (erased === undefined) throw notFound();
    await forgetQuotes(transaction, actor.orgId);
    await writeAudit(transaction, actor, { action: 'employee.erased', subject: nameless(id) });
  });
}

/** The log outlives the person's data, so it does not name them. */
const nameless = (id: number) => `employee ${id}`;

function notFound(): AppError {
  return new AppError('not_found', 'This employee does not exist.');
}
