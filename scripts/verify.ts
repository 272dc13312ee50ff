/**
 * `npm run verify`: whether the rows of a database agree with each other: counters with what they count, ledgers with
 * their totals, numbers without gaps, ids that will not be given out twice. For after a restore; it only reads.
 *
 *   --database-url=…   as a role that Row-Level Security does not bind; default: DATABASE_MIGRATE_URL, DATABASE_URL, or
 *                      that of a running `npm start`
 *
 * Exit code: 0 everything agrees; 1 something does not; 2 the database cannot be asked; 64 invalid arguments.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readStackFile } from './embedded/stack-file.ts';
import { showVerdicts } from './verify/verdict.ts';
import { verifyDatabase } from './verify/verify-database.ts';

const EXIT_FAULTS = 1;
const EXIT_UNREACHABLE = 2;
const EXIT_USAGE = 64;
const STACK_FOLDER = path.resolve(import.meta.dirname, '..', '.tardigrade');

const databaseUrl = addressFrom(process.argv.slice(2));
if (databaseUrl === undefined) process.exit(EXIT_USAGE);
try {
  const verdicts = await verifyDatabase(databaseUrl);
  console.log(showVerdicts(verdicts));
  process.exitCode = verdicts.every(({ faults }) => faults.length === 0) ? 0 : EXIT_FAULTS;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = EXIT_UNREACHABLE;
}

function addressFrom(args: string[]): string | undefined {
  try {
    const { values } = parseArgs({ args, options: { 'database-url': { type: 'string' } } });
    const { DATABASE_MIGRATE_URL, DATABASE_URL } = process.env;
    const address =
      values['database-url'] || DATABASE_MIGRATE_URL || DATABASE_URL || readStackFile(STACK_FOLDER)?.databaseUrl;
    if (address !== undefined) return address;
    console.error('No database: start one with npm start, or name it with --database-url=…');
  } catch (error) {
    console.error(`${(error as Error).message}\nnpm run verify -- [--database-url=postgres://…]`);
  }
  return undefined;
}
