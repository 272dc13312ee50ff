/**
 * `npm run restore:drill`: restores the last backup on another port, asks every rule of `npm run verify`, and says what
 * came back, how long it took and how much would have been lost.
 *
 *   --config=/etc/pgbackrest.conf --stanza=tardigrade   your repository; run it as the account that may read it
 *   --target=2026-11-26T05:41:02Z                       the last moment that comes back; default: all of the log
 *   --database=tardigrade --user=postgres               the product's database, and the server's superuser
 *   --folder=/var/tmp                                   on a disk with room for the database
 *
 * Without --config it rehearses the whole way with a database of its own: archive, back up, write, lose the disk, restore.
 *
 *   --scale=1 --seconds=30                              of the seed, and how long somebody writes
 *   --s3=https://host:port/bucket                       instead of a folder; S3_KEY, S3_SECRET, S3_REGION. What it
 *                                                       writes there lies in a folder of its own, until the end
 *   --no-verify-tls                                     of a test server with a certificate that nobody has signed
 *
 * Exit code: 0 everything came back and agrees; 1 it does not; 2 nothing could be restored; 64 invalid
 * arguments; 130 stopped by a signal, which leaves nothing behind.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { stopAllChildren } from './embedded/child.ts';
import { choosePort } from './embedded/ports.ts';
import { chooseAccount, handOver } from './embedded/postgres-account.ts';
import { drill } from './restore/drill.ts';
import { SERVER_STOP_MS } from './restore/limits.ts';
import { openPgBackRest, type Repository, STANZA } from './restore/pgbackrest.ts';
import { dataFolderOf } from './restore/preconditions.ts';
import { rehearse } from './restore/rehearsal.ts';
import { isSound, showDrill, showRehearsal } from './restore/report.ts';
import { findTools, type Tools } from './restore/tools.ts';

const EXIT_FAULTS = 1;
const EXIT_NOT_RESTORED = 2;
const EXIT_USAGE = 64;
const EXIT_STOPPED = 130;
/** With a short path, because a socket file is in it, and on a disk rather than in memory. */
const PLACE = '/var/tmp';
const ARCHIVE_SECONDS = 10;

const options = readOptions();
const stopped = new AbortController();
const folder = mkdtempSync(path.join(options.folder, 'drill-'));
handOver(folder, chooseAccount());
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => void stop(name));
try {
  const tools = await findTools();
  console.log(`pgBackRest and PostgreSQL: ${tools.source}`);
  process.exitCode = (await (options.config === undefined ? rehearsal(tools) : ownDrill(tools))) ? 0 : EXIT_FAULTS;
} catch (error) {
  if (!stopped.signal.aborted) console.error(error instanceof Error ? error.message : error);
  process.exitCode = stopped.signal.aborted ? EXIT_STOPPED : EXIT_NOT_RESTORED;
} finally {
  await stopAllChildren([]);
  rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
}

/** What waits for a server or for pgBackRest fails, and cleans up after itself on its way out. */
async function stop(name: string): Promise<void> {
  if (stopped.signal.aborted) return;
  console.error(`${name}: the drill stops, and removes what it has restored`);
  stopped.abort();
  await stopAllChildren([{ signal: 'SIGINT', waitMs: SERVER_STOP_MS }]);
}

async function ownDrill(tools: Tools): Promise<boolean> {
  const { config, stanza, target, database, user } = options;
  const settings = path.resolve(config as string);
  const shared = [folder, path.dirname(settings)];
  const report = await drill({
    tools,
    pgbackrest: openPgBackRest(tools, settings, stanza, shared, stopped.signal),
    folder,
    port: await choosePort('primary', 'any'),
    database,
    user,
    shared,
    target,
    dataFolder: dataFolderOf(settings, stanza),
    stopped: stopped.signal,
  });
  console.log(showDrill(report, new Date()));
  return isSound(report);
}

async function rehearsal(tools: Tools): Promise<boolean> {
  const begun = performance.now();
  const result = await rehearse({
    tools,
    folder,
    repository: options.repository ?? { kind: 'folder', folder: path.join(folder, 'repository') },
    seedScale: options.scale,
    writeSeconds: options.seconds,
    archiveSeconds: ARCHIVE_SECONDS,
    stopped: stopped.signal,
    say: (text) => console.log(`${String(Math.round((performance.now() - begun) / 1000)).padStart(4)} s  ${text}`),
  });
  console.log(`\n${showRehearsal(result)}`);
  const { latest, toTarget, targetWrite } = result;
  return (
    isSound(latest.report) && isSound(toTarget.report) && toTarget.lastWrite === targetWrite && latest.missing === 0
  );
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        config: { type: 'string' },
        stanza: { type: 'string', default: STANZA },
        target: { type: 'string' },
        database: { type: 'string', default: 'tardigrade' },
        user: { type: 'string', default: 'postgres' },
        folder: { type: 'string', default: PLACE },
        scale: { type: 'string', default: '1' },
        seconds: { type: 'string', default: '30' },
        s3: { type: 'string' },
        'no-verify-tls': { type: 'boolean', default: false },
      },
    });
    const target = values.target === undefined ? undefined : new Date(values.target);
    if (target !== undefined && Number.isNaN(target.getTime())) throw new Error(`${values.target} is not a valid time`);
    if (target !== undefined && target > new Date()) throw new Error(`${values.target} has not come yet`);
    const [scale, seconds] = [Number(values.scale), Number(values.seconds)];
    if (!(scale > 0 && seconds > 0)) throw new Error('--scale and --seconds are numbers above 0');
    return { ...values, target, scale, seconds, repository: s3Repository(values.s3, !values['no-verify-tls']) };
  } catch (error) {
    console.error(`${(error as Error).message}\nnpm run restore:drill -- [--config=… --stanza=… --target=…] [--s3=…]`);
    process.exit(EXIT_USAGE);
  }
}

function s3Repository(address: string | undefined, verifyTls: boolean): Repository | undefined {
  if (address === undefined) return undefined;
  const { hostname, port, pathname, protocol } = new URL(address);
  const { S3_KEY: key, S3_SECRET: secret, S3_REGION: region = 'us-east-1' } = process.env;
  const bucket = pathname.slice(1);
  if (protocol !== 'https:' || bucket === '') throw new Error('--s3 is https://host:port/bucket: pgBackRest needs TLS');
  if (!key || !secret) throw new Error('set S3_KEY and S3_SECRET');
  const own = `/rehearsal-${randomUUID()}`;
  return {
    kind: 's3',
    endpoint: hostname,
    port: Number(port || 443),
    bucket,
    path: own,
    region,
    key,
    secret,
    verifyTls,
  };
}
