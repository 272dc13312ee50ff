/**
 * What it is: what each request may cost, committed: bench/counters.json for the platform, and one file per module.
 * What fails without it: a query per row, or a list without a limit, is a few milliseconds on a developer's machine, and
 *   no clock of a CI runner is steady enough to say so. Numbers of statements and rows do not depend on the clock.
 * How it works: what grew beyond its budget, or has none, fails the run; what shrank is a hint to write a new budget.
 * Its bound: ALLOWED. Its proof: npm run bench:gate-test, test/bench/gate.test.ts.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** `GET /api/v1/me: queries`, `mail: redis commands`, …: the unit is the last word. */
export type Counters = Readonly<Record<string, number>>;

/**
 * Times the budget, by unit; the first that fits counts. Statements: none more. Rows and bytes: the data ends with
 * today, so that another day has other people's words on the first page, and a week with other days in it; a list that
 * lost its limit grows by more than a quarter. A job in Redis has more or fewer fields from one moment to the next. What
 * is counted per mail holds a few statements that the clock asks for. CPU time is compared with that
 * of bare requests at the same moment, and still moves by a half.
 */
const ALLOWED: readonly (readonly [unit: string, times: number])[] = [
  ['queries', 1],
  ['rows', 1.25],
  ['redis bytes', 1.5],
  ['bytes', 1.25],
  ['per mail', 1.25],
  ['bare ones', 2],
];
const SHRUNK = 0.8;

/** The budgets in a folder; none where there is no file. */
export function readBudgets(folder: string): Counters {
  const file = fileIn(folder);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Counters) : {};
}

export function writeBudgets(folder: string, counters: Counters): void {
  if (Object.keys(counters).length === 0) rmSync(fileIn(folder), { force: true });
  else writeFileSync(fileIn(folder), `${JSON.stringify(counters, null, 2)}\n`);
}

const fileIn = (folder: string) => path.join(folder, 'counters.json');

export interface Comparison {
  /** Each fails the run: what does not hold, in words. */
  readonly grown: readonly string[];
  /** Worth a new budget. */
  readonly shrunk: readonly string[];
}

export function compareWithBudgets(counters: Counters, budgets: Counters): Comparison {
  const grown: string[] = [];
  const shrunk: string[] = [];
  for (const [name, value] of Object.entries(counters)) {
    const budget = budgets[name];
    if (budget === undefined) grown.push(`${name} has a budget (it is ${value})`);
    else if (value > budget * allowedTimes(name)) grown.push(`${name} within its budget of ${budget} (${value})`);
    else if (value < budget * (allowedTimes(name) === 1 ? 1 : SHRUNK))
      shrunk.push(`${name}: ${value}, budget ${budget}`);
  }
  for (const name of Object.keys(budgets))
    if (counters[name] === undefined) grown.push(`${name} is counted, as it has a budget`);
  return { grown, shrunk };
}

function allowedTimes(name: string): number {
  const found = ALLOWED.find(([unit]) => name.endsWith(unit));
  if (found === undefined) throw new Error(`${name} ends in no unit that has a band`);
  return found[1];
}
