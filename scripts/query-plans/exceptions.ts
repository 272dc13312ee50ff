/** What the rules of faults.ts would refuse, and why it may stay. One that nothing needs any more fails the test. */
import type { Fault, Rule } from './faults.ts';

export interface Exception {
  /** As in queries.sql: the file and the function. */
  readonly site: string;
  readonly rule: Rule;
  readonly table: string;
  readonly because: string;
}

export const EXCEPTIONS: readonly Exception[] = [
  {
    site: 'src/http/authentication.ts end',
    rule: 'organisation',
    table: 'sessions',
    because: 'the token is unique over all organisations, and who holds it may end it',
  },
  {
    site: 'src/modules/campaigns/queries.ts countScheduled',
    rule: 'index-path',
    table: 'campaigns',
    because: 'all campaigns of one organisation at most, when it schedules one: a person makes each of them by hand',
  },
  {
    site: 'src/modules/dashboard/queries.ts summary',
    rule: 'index-path',
    table: 'campaigns',
    because: 'only those being sent are in the index campaigns_sending, of all organisations together',
  },
  {
    site: 'src/modules/dashboard/queries.ts summary',
    rule: 'index-path',
    table: 'conversations',
    because: 'the conversations of the last 24 hours; none begins in the future, so the range has two ends',
  },
];

export function isExcepted(fault: Fault, sites: readonly string[]): Exception | undefined {
  return EXCEPTIONS.find(
    ({ site, rule, table }) => rule === fault.rule && table === fault.table && sites.includes(site),
  );
}
