/** What the rules of faults.ts would refuse, and why it may stay. One that nothing needs any more fails the test. */
import type { Fault, Rule } from './faults.ts';
import { modulePlans } from './module-plans.ts';

export interface Exception {
  /** As in queries.sql: the file and the function. */
  readonly site: string;
  readonly rule: Rule;
  readonly table: string;
  readonly because: string;
}

/** The platform's, and those of each module: `exceptions` of test/modules/<noun>/query-plans.ts. */
export const EXCEPTIONS: readonly Exception[] = [
  {
    site: 'src/http/authentication.ts end',
    rule: 'organisation',
    table: 'sessions',
    because: 'the token is unique over all organisations, and whoever holds it may end it',
  },
  ...(await modulePlans()).flatMap(({ exceptions = [] }) => exceptions),
];

export function isExcepted(fault: Fault, sites: readonly string[]): Exception | undefined {
  return EXCEPTIONS.find(
    ({ site, rule, table }) => rule === fault.rule && table === fault.table && sites.includes(site),
  );
}
