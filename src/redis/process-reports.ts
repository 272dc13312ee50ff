/**
 * Every process reports its state every REPORT_EVERY_MS; the operations page and the alerts read the reports of the last
 * REPORT_TTL_SECONDS. They are in Redis because they can be lost: reports expire, so a dead process disappears.
 */
import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import { REPORT_EVERY_MS, REPORT_TTL_SECONDS, REPORTED_PROCESSES_MAX } from '../limits.ts';
import type { Log } from '../log.ts';
import type { AskedStops } from '../process/asked-stops.ts';
import type { ProcessReport } from '../process/metrics.ts';
import { isRunning, leaveTrace, noteStop, noticePredecessors, removeTrace } from './deaths.ts';

const KEY_PREFIX = 'tardigrade:process:';
const INDEX = 'tardigrade:processes';
const HOST = hostname();

export interface Reporting {
  readonly report: () => ProcessReport;
  readonly stops: AskedStops;
  /** How the process before this one ended, if its supervisor says so. */
  readonly lastExit?: string;
  readonly log?: Log;
}

export interface Reports {
  /** Resolves when the first report was sent, or could not be. */
  readonly first: Promise<void>;
  /** Takes the process off the list if it was asked to stop. */
  stop(wasAsked: boolean): Promise<void>;
}

/** As it is in Redis. */
interface PublishedReport extends ProcessReport {
  readonly host: string;
  /** When the first report of this process was sent, in microseconds by the clock of Redis: those of the hosts differ. */
  readonly firstAt: number;
}

/** Starts reporting. A failed report is dropped: the next one follows soon. */
export function publishReports(redis: Redis, { report, stops, lastExit = '', log }: Reporting): Reports {
  let firstAt: number | undefined;

  async function begin(current: ProcessReport): Promise<void> {
    for (const death of await noticePredecessors(redis, stops, current, lastExit))
      log?.error({ death }, `the process before this one died: ${death.says}`);
  }

  const publish = async () => {
    const current = report();
    const key = keyOf(current);
    if (firstAt === undefined) await begin(current);
    firstAt ??= await microsecondsOf(redis);
    const published: PublishedReport = { ...current, host: HOST, firstAt };
    await leaveTrace(redis.multi(), current)
      .set(key, JSON.stringify(published), 'EX', REPORT_TTL_SECONDS)
      .zadd(INDEX, Date.now(), key)
      .zremrangebyscore(INDEX, 0, Date.now() - REPORT_TTL_SECONDS * 1000)
      .exec();
  };
  let publishing: Promise<void> | undefined;
  // One at a time: on a slow machine a report is due while the first one still counts the deaths before it.
  const publishUnlessBusy = () => {
    publishing ??= publish()
      .catch(() => undefined)
      .finally(() => {
        publishing = undefined;
      });
    return publishing;
  };
  const first = publishUnlessBusy();
  const timer = setInterval(publishUnlessBusy, REPORT_EVERY_MS);
  return {
    first,
    async stop(wasAsked) {
      clearInterval(timer);
      await publishing; // or the trace would come back
      const last = report();
      if (!wasAsked) return;
      const removing = removeTrace(redis.multi(), last).del(keyOf(last)).zrem(INDEX, keyOf(last)).exec();
      // Each of the two may be away.
      await Promise.allSettled([removing, noteStop(stops, last)]);
    },
  };
}

/** The latest report of each running process, sorted by name and pid. */
export async function readReports(redis: Redis): Promise<ProcessReport[]> {
  return readPublished(redis);
}

/**
 * Those that sent their first report before this process did, without those of this host that no longer run. Undefined
 * while this process is not among those that report.
 */
export async function reportedBefore(
  redis: Redis,
  { name, pid }: Pick<ProcessReport, 'name' | 'pid'>,
): Promise<ProcessReport[] | undefined> {
  const all = await readPublished(redis);
  const own = all.find((one) => one.name === name && one.pid === pid && one.host === HOST);
  if (own === undefined) return undefined;
  const isBefore = (one: PublishedReport) =>
    one.firstAt < own.firstAt || (one.firstAt === own.firstAt && fullName(one) < fullName(own));
  return all.filter((one) => isBefore(one) && (one.host !== HOST || isRunning(one.pid)));
}

async function readPublished(redis: Redis): Promise<PublishedReport[]> {
  const keys = await redis.zrange(INDEX, '0', String(REPORTED_PROCESSES_MAX - 1));
  if (keys.length === 0) return [];
  const texts = await redis.mget(keys);
  return texts
    .filter((text) => text !== null)
    .map((text) => JSON.parse(text) as PublishedReport)
    .sort((a, b) => a.name.localeCompare(b.name) || a.pid - b.pid);
}

async function microsecondsOf(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1_000_000 + Number(microseconds);
}

/** With the host: in a container most processes have the same pid. */
function keyOf({ name, pid }: ProcessReport): string {
  return `${KEY_PREFIX}${fullName({ name, host: HOST, pid })}`;
}

function fullName({ name, host, pid }: Pick<PublishedReport, 'name' | 'host' | 'pid'>): string {
  return `${name}:${host}:${pid}`;
}
