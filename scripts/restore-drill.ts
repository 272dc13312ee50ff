/**
 * `npm run restore:drill`: restores the last backup on another port, asks every rule of `npm run verify`, and says what
 * came back, how long it took and how much would have been lost.
 *
 *   --config=/etc/pgbackrest.conf --stanza=tardigrade   your repository; run it as the account that may read it
 *   --target=2026-11-26T05:41:02Z                       the last moment that comes back; default: all of the log
 *   --database=tardigrade --user=postgres               the product's database, and the server's superuser
 *
 * Without --config it rehearses the whole way with a database of its own: archive, back up, write, lose the disk, restore.
 *
 *   --scale=1 --seconds=30                              of the seed, and how long somebody writes
 *   --s3=https://host:port/bucket                       instead of a folder; S3_KEY, S3_SECRET, S3_REGION
 *   --no-verify-tls                                     of a test server with a certificate that nobody has signed
 *
 * Exit code: 0 everything came back and agrees; 1 it does not; 2 no backup, or no tools; 64 invalid arguments.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { choosePort } from './embedded/ports.ts';
import { chooseAccount, handOver } from './embedded/postgres-account.ts';
import { drill } from './restore/drill.ts';
import { openPgBackRest, type Repository, STANZA } from './restore/pgbackrest.ts';
import { rehearse } from './restore/rehearsal.ts';
import { isSound, showDrill, showRehearsal } from './restore/report.ts';
import { findTools, type Tools } from './restore/tools.ts';

const EXIT_FAULTS = 1;
const EXIT_NO_BACKUP = 2;
const EXIT_USAGE = 64;
/** Short, because a socket file is in it, and on a disk rather than in memory. */
const PLACE = '/var/tmp/drill-';
const ARCHIVE_SECONDS = 10;

const options = readOptions();
const folder = mkdtempSync(PLACE);
handOver(folder, chooseAccount());
try {
  const tools = await findTools();
  console.log(`pgBackRest and PostgreSQL: ${tools.source}`);
  process.exitCode = (await (options.config === undefined ? rehearsal(tools) : ownDrill(tools))) ? 0 : EXIT_FAULTS;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = EXIT_NO_BACKUP;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function ownDrill(tools: Tools): Promise<boolean> {
  const { config, stanza, target, database, user } = options;
  const settings = path.resolve(config as string);
  const shared = [folder, path.dirname(settings)];
  const report = await drill({
    tools,
    pgbackrest: openPgBackRest(tools, settings, stanza, shared),
    folder,
    port: await choosePort('primary', 'any'),
    database,
    user,
    shared,
    target,
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
        scale: { type: 'string', default: '1' },
        seconds: { type: 'string', default: '30' },
        s3: { type: 'string' },
        'no-verify-tls': { type: 'boolean', default: false },
      },
    });
    const target = values.target === undefined ? undefined : new Date(values.target);
    if (target !== undefined && Number.isNaN(target.getTime())) throw new Error(`${values.target} is not a valid time`);
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
  return { kind: 's3', endpoint: hostname, port: Number(port || 443), bucket, region, key, secret, verifyTls };
}
