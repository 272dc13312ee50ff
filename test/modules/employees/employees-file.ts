export interface EmployeesFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

export const ROWS = 10_000;
export const REJECTED = [
  { line: 3, reason: 'is not an email address' },
  { line: 5_000, reason: 'has no name' },
  { line: 10_001, reason: 'has no email address' },
] as const;
export const GOOD_ROWS = ROWS - REJECTED.length;
const TEAMS = ['Müritz', 'Havel', 'Spree', 'Oder; upper'];

/** As a German spreadsheet saves it: byte order mark, semicolons, CRLF, quotes where needed. Row n is on line n + 1. */
export function employeesFile(): EmployeesFile {
  const rows = Array.from({ length: ROWS }, (_, index) => row(index + 1));
  const text = `\uFEFF${['Name;E-Mail;Team', ...rows].join('\r\n')}\r\n`;
  return { name: 'employees.csv', mimeType: 'text/csv', buffer: Buffer.from(text) };
}

export const addressOf = (n: number) => `person-${n}@story.test`;

/** People of the same team as person 1. */
export const teammates = (count: number) => Array.from({ length: count }, (_, index) => 1 + (index + 1) * TEAMS.length);

function row(n: number): string {
  const fault = REJECTED.find(({ line }) => line === n + 1)?.reason;
  const name = fault === 'has no name' ? '' : `"Person ""${n}"""`;
  const address = fault === 'is not an email address' ? 'nobody at all' : addressOf(n);
  const team = TEAMS[n % TEAMS.length] as string;
  return [name, fault === 'has no email address' ? '' : address, team.includes(';') ? `"${team}"` : team].join(';');
}
