import type { Db } from '../../../src/db/database.ts';
import { employeesPage } from '../../../src/modules/employees/queries.ts';
import type { EmployeeRow } from './case.ts';

/** Goes on after the last row that was seen: every page costs the same, whatever was added or deleted meanwhile. */
export async function* walkEmployees(db: Db, orgId: number, pageRows: number): AsyncGenerator<EmployeeRow[]> {
  for (let afterId = 0; ; ) {
    const rows = (await employeesPage(db, orgId, {}, afterId, pageRows)).slice(0, pageRows);
    if (rows.length > 0) yield rows;
    if (rows.length < pageRows) return;
    afterId = rows.at(-1)?.id ?? afterId;
  }
}
