/**
 * What no process knows of itself, and one must look after: the servers, the disk, the certificates, whether everybody
 * is there, and who died. The mailers do; their gauges are the deployment's.
 */
import { statfs } from 'node:fs/promises';
import { connect } from 'node:tls';
import type { Redis } from 'ioredis';
import type { Config } from '../../config.ts';
import { createAskedStops } from '../../db/asked-stops.ts';
import { type Budget, WAYS_OUT } from '../../db/connection-budget.ts';
import type { Database } from '../../db/read-write-split.ts';
import { EVERY_ORGANISATION } from '../../db/tenant-isolation.ts';
import type { Log } from '../../log.ts';
import type { Metrics, ProcessReport, ReadBy, Say } from '../../process/metrics.ts';
import { SERVING_PROCESSES } from '../../processes.ts';
import { oldestJobSeconds } from '../../queue/queue-depth.ts';
import { createSilenceWatch, type Death, type DeathCause, deathsSince, deathTotals } from '../../redis/deaths.ts';
import { readReports } from '../../redis/process-reports.ts';
import { runningBudget } from './budget.ts';
import {
  CERTIFICATE_ANSWER_MS,
  CERTIFICATE_EVERY_MS,
  DEATHS_WINDOW_MS,
  SILENT_MS,
  SLOT_BYTES_ASSUMED,
} from './limits.ts';
import { type ServerState, serverState } from './queries.ts';
import { countsByName, DIED, whoDied } from './who-died.ts';

export interface DeploymentParts {
  readonly config: Pick<Config, 'apiUrl' | 'chatUrl' | 'diskPath' | 'instances'>;
  readonly database: Database;
  readonly redis: Redis;
  readonly queues: readonly string[];
  readonly metrics: Metrics;
  readonly log: Log;
}

interface RedisState {
  readonly usedBytes: number;
  readonly maxBytes: number | undefined;
  readonly oldestJobSeconds: number;
  readonly missing: number;
  readonly reports: readonly ProcessReport[];
  readonly recentDeaths: Readonly<Record<DeathCause, readonly Death[]>>;
  readonly totalDeaths: Readonly<Record<DeathCause, number>>;
}

/** Returns what is run every WATCH_EVERY_MS; it never rejects: what cannot be looked at is not known, or unreachable. */
export function watchDeployment(parts: DeploymentParts): () => Promise<void> {
  const { config, database, redis, metrics, log } = parts;
  const silent = createSilenceWatch(redis, createAskedStops(database), SILENT_MS);
  let server: ServerState | undefined;
  let inRedis: RedisState | undefined;
  let budget: Budget | undefined;
  let saidOfBudget: string | undefined;
  let unreachable: { readonly database: number; readonly redis: number } | undefined;
  let freeShare: number | undefined;
  let certificateEndsAt: number | undefined;
  let certificateSeenAt = Number.NEGATIVE_INFINITY;

  metrics.measure('database_unreachable', '1 while the primary does not answer', () => unreachable?.database);
  metrics.measure('database_connections', 'Connections to the primary server', () => server?.connections);
  metrics.measure('database_connections_max', 'Those allowed', () => server?.connectionsMax);
  metrics.measure('connections_needed', 'Those that all processes together may open', () => budget?.needed);
  metrics.measure('connections_allowed', 'Those that the primary gives them', () => budget?.allowed);
  metrics.total('database_deadlocks', 'Deadlocks in the database', () => server?.deadlocks);
  metrics.measure('outbox_oldest_seconds', 'Age of the oldest event in the outbox', () =>
    server === undefined ? undefined : (server.outboxSeconds ?? 0),
  );
  metrics.measure('replication_slot_bytes', 'Log that the primary keeps for the slot that needs most', () =>
    server === undefined ? undefined : (server.slotBytes ?? 0),
  );
  metrics.measure('replication_slot_max_bytes', 'Log that a slot may keep', () =>
    server === undefined ? undefined : server.slotBytesMax > 0 ? server.slotBytesMax : SLOT_BYTES_ASSUMED,
  );
  metrics.measure('backup_age_seconds', 'Since the last backup, or since there is data', () => server?.backupSeconds);
  metrics.measure('redis_unreachable', '1 while Redis does not answer', () => unreachable?.redis);
  metrics.measure('redis_used_bytes', 'Memory that Redis uses', () => inRedis?.usedBytes);
  metrics.measure('redis_max_bytes', 'Memory that Redis may use', () => inRedis?.maxBytes);
  metrics.measure('queue_oldest_seconds', 'How long the next job has been waiting', () => inRedis?.oldestJobSeconds);
  metrics.measure('processes_missing', 'Processes of the deployment that do not report', () => inRedis?.missing);
  metrics.measureBy('oom_kills_recent', 'Processes that the kernel killed lately', ...deaths('oom', 'was killed'));
  metrics.measureBy('crashes_recent', 'Other processes that died lately', ...deaths('crash', 'died'));
  metrics.total(
    'oom_kills',
    'Processes that the kernel killed because of their memory',
    () => inRedis?.totalDeaths.oom,
  );
  metrics.total('crashes', 'Other processes that died', () => inRedis?.totalDeaths.crash);
  metrics.measure('disk_free_share', 'Of the disk of DISK_PATH', () => freeShare);
  metrics.measure('certificate_seconds_left', 'Of the certificate that ends first', () =>
    certificateEndsAt === undefined ? undefined : (certificateEndsAt - Date.now()) / 1_000,
  );

  /** How many there were lately, and in words which process, how often and since when. */
  function deaths(cause: DeathCause, how: string): [label: string, ReadBy, Say] {
    const lately = () => inRedis?.recentDeaths[cause];
    return [DIED, () => lately() && countsByName(lately() ?? []), () => whoDied(lately() ?? [], how)];
  }

  async function lookAtRedis(): Promise<RedisState> {
    for (const death of await silent()) log.error({ death }, death.says);
    const [info, seconds, reports, deaths, totalDeaths] = await Promise.all([
      redis.info('memory'),
      oldestJobSeconds(redis, parts.queues),
      readReports(redis),
      deathsSince(redis, Date.now() - DEATHS_WINDOW_MS),
      deathTotals(redis),
    ]);
    const numberIn = (field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
    const of = (cause: DeathCause) => deaths.filter((death) => death.cause === cause);
    const running = (name: string) => reports.filter((report) => report.name === name).length;
    return {
      usedBytes: numberIn('used_memory'),
      maxBytes: numberIn('maxmemory') || undefined,
      oldestJobSeconds: seconds,
      reports,
      missing: SERVING_PROCESSES.reduce((sum, name) => {
        const there = running(name) + (name === 'all' ? 0 : running('all'));
        return sum + Math.max(0, config.instances[name] - there);
      }, 0),
      recentDeaths: { oom: of('oom'), crash: of('crash') },
      totalDeaths,
    };
  }

  /** Once for each change. */
  function sayBudget(): void {
    if (budget === undefined) return;
    const { needed, allowed, arithmetic } = budget;
    const says = needed > allowed ? arithmetic : undefined;
    if (says === saidOfBudget) return;
    saidOfBudget = says;
    if (says === undefined)
      log.info({ connections: arithmetic }, 'the connections of the processes that run fit again');
    else
      log.error(
        { connections: arithmetic },
        `the processes that run may open more connections than the primary allows: run fewer instances, ${WAYS_OUT}`,
      );
  }

  return async () => {
    [server, inRedis, freeShare] = await Promise.all([
      serverState(database.primary(EVERY_ORGANISATION)).catch(() => undefined),
      lookAtRedis().catch(() => undefined),
      statfs(config.diskPath).then(
        ({ bavail, blocks }) => (blocks > 0 ? bavail / blocks : undefined),
        () => undefined,
      ),
    ]);
    unreachable = { database: Number(server === undefined), redis: Number(inRedis === undefined) };
    budget = inRedis && (await runningBudget(database, config.instances, inRedis.reports).catch(() => undefined));
    sayBudget();
    if (performance.now() - certificateSeenAt > CERTIFICATE_EVERY_MS) {
      certificateSeenAt = performance.now();
      certificateEndsAt = await firstEnd([config.apiUrl, config.chatUrl]);
    }
  };
}

/** When the first of the certificates ends, in milliseconds since 1970; undefined if none could be had. */
async function firstEnd(urls: readonly string[]): Promise<number | undefined> {
  const https = urls.map((url) => new URL(url)).filter(({ protocol }) => protocol === 'https:');
  const ends = (await Promise.all(https.map(certificateEnd))).filter((end) => end !== undefined);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

function certificateEnd({ hostname, port }: URL): Promise<number | undefined> {
  return new Promise((resolve) => {
    // Whether it is valid is the browser's business; one that has ended already must be seen too.
    const options = { host: hostname, port: Number(port || 443), servername: hostname, rejectUnauthorized: false };
    const socket = connect(options, () => finish(Date.parse(socket.getPeerCertificate().valid_to)));
    const finish = (end: number | undefined) => {
      socket.destroy();
      resolve(Number.isNaN(end) ? undefined : end);
    };
    socket.setTimeout(CERTIFICATE_ANSWER_MS, () => finish(undefined));
    socket.once('error', () => finish(undefined));
  });
}
