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
  {
    site: 'src/queue/transactional-outbox.ts',
    rule: 'index-path',
    table: 'outbox',
    because: 'the rows on the way are events of the topic whose handler failed and that wait for their next try',
  },
  {
    site: 'src/queue/transactional-outbox.ts unhandledTopics',
    rule: 'index-path',
    table: 'outbox',
    because: 'once per OUTBOX_REPORT_EVERY_MS, in a table that holds only what is not delivered yet',
  },
  ...(await modulePlans()).flatMap(({ exceptions = [] }) => exceptions),
];

export function isExcepted(fault: Fault, sites: readonly string[]): Exception | undefined {
  return EXCEPTIONS.find(
    ({ site, rule, table }) => rule === fault.rule && table === fault.table && sites.includes(site),
  );
}
