/**
 * `npm run doctor`: looks at a database and what runs on it, and says in numbers what is well, what could be better and
 * what will take the service down. It reads only, and works on any PostgreSQL from 14 on, with any role that may connect.
 *
 *   --database-url=… --replica-url=… --redis-url=…   by default the environment's, else those of a running `npm start`
 *   --instances=api:2,mailer:1,chat:1                the whole deployment; by default API_INSTANCES and the like
 *   --memory=512m                                    of each box: the database's, Redis's, each process's
 *   --folder=path                                    of the running `npm start`, when it is not .tardigrade
 *   --json                                           for programs
 *
 * Exit code: 0 nothing is a danger; 1 something is; 2 the database cannot be reached; 64 the arguments are wrong;
 * 70 the doctor itself is ill.
 */
import { StartError } from '../src/errors.ts';
import { bloat } from './doctor/bloat.ts';
import { connections } from './doctor/connections.ts';
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
import { serverMemory } from './doctor/server-memory.ts';
import { openServers, type Servers, UnreachableError } from './doctor/servers.ts';
import { transactionAge } from './doctor/transaction-age.ts';
import { unusedIndexes } from './doctor/unused-indexes.ts';

type Check = (servers: Servers) => Promise<Finding[]>;

const CHECKS: readonly [name: string, check: Check][] = [
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
  ['bloat', bloat],
  ['long-transactions', longTransactions],
  ['transaction-age', transactionAge],
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
  // One after the other: a single question at a time is all that an ill server is asked.
  for (const [name, check] of CHECKS) {
    findings.push(...(await check(servers).catch((error: unknown) => [notSeen(name, error)])));
  }
  return findings;
}
