/**
 * `npm run doctor`: examines a database and its deployment, and reports in numbers what is fine, what could be better
 * and what will take the service down. It only reads, and works on PostgreSQL 14 or later with any role that can
 * connect.
 *
 *   --database-url=… --replica-url=… --redis-url=…   default: from the environment, else from a running `npm start`
 *   --instances=api:2,mailer:1,chat:1                the whole deployment; default: API_INSTANCES and the like
 *   --memory=512m                                    of each box: the database's, Redis's, each process's
 *   --folder=path                                    of the running `npm start`, if it is not .tardigrade
 *   --json                                           machine-readable output
 *
 * Exit code: 0 no dangers; 1 at least one danger; 2 the database cannot be reached; 64 invalid arguments; 70 a bug in
 * the doctor itself.
 */
import { StartError } from '../src/errors.ts';
import { archiving } from './doctor/archiving.ts';
import { bloat } from './doctor/bloat.ts';
import { blocked } from './doctor/blocked.ts';
import { connections } from './doctor/connections.ts';
import { duplicateIndexes } from './doctor/duplicate-indexes.ts';
import { durability } from './doctor/durability.ts';
import type { Finding } from './doctor/finding.ts';
import { foreignKeys } from './doctor/foreign-keys.ts';
import { heapLimit } from './doctor/heap-limit.ts';
import { invalidIndexes } from './doctor/invalid-indexes.ts';
import { longTransactions } from './doctor/long-transactions.ts';
import { memoryFit } from './doctor/memory-fit.ts';
import { notSeen } from './doctor/not-seen.ts';
import { readOptions } from './doctor/options.ts';
import { redisMemory } from './doctor/redis-memory.ts';
import { replicaLag } from './doctor/replica-lag.ts';
import { replicationSlots } from './doctor/replication-slots.ts';
import { reportAsJson, showReport } from './doctor/report.ts';
import { scannedTables } from './doctor/scanned-tables.ts';
import { sequences } from './doctor/sequences.ts';
import { serverMemory } from './doctor/server-memory.ts';
import { serverVersion } from './doctor/server-version.ts';
import { openServers, type Servers, UnreachableError } from './doctor/servers.ts';
import { temporaryFiles } from './doctor/temporary-files.ts';
import { transactionAge } from './doctor/transaction-age.ts';
import { unusedIndexes } from './doctor/unused-indexes.ts';

type Check = (servers: Servers) => Promise<Finding[]>;

const CHECKS: readonly [name: string, check: Check][] = [
  ['server-version', serverVersion],
  ['memory-fit', memoryFit],
  ['server-memory', serverMemory],
  ['connections', connections],
  ['heap-limit', heapLimit],
  ['redis-memory', redisMemory],
  ['replica-lag', replicaLag],
  ['replication-slots', replicationSlots],
  ['scanned-tables', scannedTables],
  ['foreign-keys', foreignKeys],
  ['unused-indexes', unusedIndexes],
  ['invalid-indexes', invalidIndexes],
  ['duplicate-indexes', duplicateIndexes],
  ['bloat', bloat],
  ['long-transactions', longTransactions],
  ['blocked', blocked],
  ['transaction-age', transactionAge],
  ['sequences', sequences],
  ['temporary-files', temporaryFiles],
  ['durability', durability],
  ['archiving', archiving],
];

const EXIT_DANGER = 1;
const EXIT_UNREACHABLE = 2;
const EXIT_USAGE = 64;
const EXIT_BUG = 70;

try {
  const options = readOptions(process.argv.slice(2), process.env);
  const servers = await openServers(options.addresses, options);
  try {
    const findings = await examine(servers);
    console.log(options.json ? reportAsJson(servers, findings) : showReport(servers, findings));
    process.exitCode = findings.some(({ level }) => level === 'danger') ? EXIT_DANGER : 0;
  } finally {
    await servers.close();
  }
} catch (error) {
  const known =
    error instanceof UnreachableError ? EXIT_UNREACHABLE : error instanceof StartError ? EXIT_USAGE : undefined;
  console.error(known === undefined ? error : (error as Error).message);
  process.exitCode = known ?? EXIT_BUG;
}

async function examine(servers: Servers): Promise<Finding[]> {
  const findings: Finding[] = [];
  // One at a time: a struggling server must not get more than one query at once.
  for (const [name, check] of CHECKS) {
    findings.push(...(await check(servers).catch((error: unknown) => [notSeen(name, error)])));
  }
  return findings;
}
