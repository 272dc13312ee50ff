import {
  type CheckArgs,
  type CheckedAnswer,
  type Checks,
  checkObject,
  checkPage,
  type Owners,
  type Row,
} from '../../load/checks.ts';

function checkEmployees(answer: CheckedAnswer, args: CheckArgs, owners: Owners): string | undefined {
  const { items } = answer.json as { items: Row[] };
  const domain = args['domain'];
  const search = typeof args['search'] === 'string' ? args['search'].toLowerCase() : undefined;
  for (const { email = '', name = '' } of items) {
    if (domain !== undefined && !email.endsWith(`@${domain}`)) return `${email} is of another organisation`;
    if (search !== undefined && !email.toLowerCase().startsWith(search) && !name.toLowerCase().startsWith(search))
      return `${name} <${email}> does not begin with ${search}`;
  }
  return checkPage(answer, args, owners);
}

function checkImport(answer: CheckedAnswer, args: CheckArgs, owners: Owners): string | undefined {
  const { status, rowsRead, rowsAdded, rowsUpdated, rowsUnchanged, rowsRejected } = answer.json as Record<
    string,
    number | string
  >;
  if (status !== 'done') return `the import is ${status}`;
  if (rowsRead !== args['rows']) return `${rowsRead} rows read of ${args['rows']}`;
  if (rowsRejected !== 0) return `${rowsRejected} good rows rejected`;
  if (Number(rowsAdded) + Number(rowsUpdated) + Number(rowsUnchanged) !== args['rows'])
    return `${rowsAdded} added, ${rowsUpdated} updated, ${rowsUnchanged} unchanged: not ${args['rows']}`;
  return checkObject(answer, args, owners);
}

function checkPreview(answer: CheckedAnswer, args: CheckArgs): string | undefined {
  const { problem, rowsRead, rowsRejected, rows } = answer.json as {
    problem: string | null;
    rowsRead: number;
    rowsRejected: number;
    rows: { employee: { name: string } | null }[];
  };
  if (problem !== null) return problem;
  if (rowsRead !== args['rows'] || rowsRejected !== 0) return `${rowsRead} rows read, ${rowsRejected} rejected`;
  return rows[0]?.employee?.name === 'Preview 0' ? undefined : 'the first row is not the first person';
}

export const EMPLOYEE_CHECKS: Checks = { employees: checkEmployees, import: checkImport, preview: checkPreview };
