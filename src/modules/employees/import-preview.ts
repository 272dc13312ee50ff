import type { Columns } from './csv-columns.ts';
import { doubtfulLines, ENCODINGS } from './csv-encoding.ts';
import type { CsvRow } from './csv-parser.ts';
import { type Choices, type DraftReading, draftReading } from './csv-reading.ts';
import { type EmployeeRow, type RejectedRow, toEmployee } from './employee-row.ts';
import { IMPORT_PREVIEW_CELL_CHARS_MAX, IMPORT_PREVIEW_COLUMNS_MAX, IMPORT_PREVIEW_ROWS } from './limits.ts';

/**
 * How the beginning of a file would be read, and what would become of its rows: nothing is written. Throws AppError when
 * it is not a CSV file at all; what can be mended by choosing is the preview's `problem`.
 */
export async function previewImport(head: Buffer, choices: Choices) {
  const draft = await draftReading(head, choices);
  const { encoding, delimiter, header, columns, rows, problem, endless } = draft;
  const width = Math.max(header?.cells.length ?? 0, ...rows.map(({ cells }) => cells.length));
  const shown = Array.from({ length: Math.min(width, IMPORT_PREVIEW_COLUMNS_MAX) }, (_, column) => column);
  const become = rows.map((row) => ({ row, employee: employeeOf(row, draft) }));
  return {
    encoding: encoding.encoding,
    encodingKnownBy: encoding.by,
    encodingSure: encoding.sure,
    encodings: [...new Set([encoding.encoding, ...encoding.others, ...ENCODINGS])],
    doubtfulLines: doubtfulLines(head, encoding.encoding).map(({ line, text }) => ({ line, text: shorten(text) })),
    delimiter,
    headerLine: header?.line ?? null,
    titles: shown.map((column) => shorten(header?.cells[column] ?? '')),
    columns: {
      name: (columns.name ?? []).map((column) => column + 1),
      email: columns.email === undefined ? null : columns.email + 1,
      team: columns.team === undefined ? null : columns.team + 1,
    },
    problem: problem ?? endless ?? null,
    rowsRead: rows.length,
    rowsRejected: become.filter(({ employee }) => employee !== undefined && 'reason' in employee).length,
    rows: become.slice(0, IMPORT_PREVIEW_ROWS).map(({ row, employee }) => ({
      line: row.line,
      cells: shown.map((column) => shorten(row.cells[column] ?? '')),
      employee: employee === undefined || 'reason' in employee ? null : employeeShown(employee),
      rejected: employee !== undefined && 'reason' in employee ? employee.reason : null,
    })),
  };
}

/** Undefined while the columns are not known. */
function employeeOf(row: CsvRow, draft: DraftReading): EmployeeRow | RejectedRow | undefined {
  const { columns } = draft;
  const known = columns.name !== undefined && columns.email !== undefined;
  return known ? toEmployee(row, { ...draft, columns: columns as Columns }) : undefined;
}

function employeeShown({ name, email, team }: EmployeeRow) {
  return { name, email, team };
}

function shorten(cell: string): string {
  return cell.trim().slice(0, IMPORT_PREVIEW_CELL_CHARS_MAX).toWellFormed();
}
