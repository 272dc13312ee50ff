import type { Db } from '../../../src/db/database.ts';
import { type EmployeeRow, employeesByOffset } from './case.ts';

/** Counts from the start: page n reads and throws away n pages. */
export async function* walkEmployees(db: Db, orgId: number, pageRows: number): AsyncGenerator<EmployeeRow[]> {
  for (let offset = 0; ; offset += pageRows) {
    const rows = await employeesByOffset(db, orgId, offset, pageRows);
    if (rows.length > 0) yield rows;
    if (rows.length < pageRows) return;
  }
}
