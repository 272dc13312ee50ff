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
import { leaveTrace, noteStop, noticePredecessors, removeTrace } from './deaths.ts';

const KEY_PREFIX = 'tardigrade:process:';
const INDEX = 'tardigrade:processes';

export interface Reporting {
  readonly report: () => ProcessReport;
  readonly stops: AskedStops;
  /** How the process before this one ended, if its supervisor says so. */
  readonly lastExit?: string;
  readonly log?: Log;
}

/**
 * Starts reporting; returns a function that stops it, and takes the process off the list when it was asked to stop.
 * A failed report is dropped: the next one follows soon.
 */
export function publishReports(
  redis: Redis,
  { report, stops, lastExit = '', log }: Reporting,
): (wasAsked: boolean) => Promise<void> {
  let begun = false;

  async function begin(current: ProcessReport): Promise<void> {
    for (const death of await noticePredecessors(redis, stops, current, lastExit))
      log?.error({ death }, `the process before this one died: ${death.says}`);
    begun = true;
  }

  const publish = async () => {
    const current = report();
    const key = keyOf(current);
    if (!begun) await begin(current);
    await leaveTrace(redis.multi(), current)
      .set(key, JSON.stringify(current), 'EX', REPORT_TTL_SECONDS)
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
  };
  publishUnlessBusy();
  const timer = setInterval(publishUnlessBusy, REPORT_EVERY_MS);
  return async (wasAsked) => {
    clearInterval(timer);
    await publishing; // or the trace would come back
    const last = report();
    if (!wasAsked) return;
    const removing = removeTrace(redis.multi(), last).del(keyOf(last)).zrem(INDEX, keyOf(last)).exec();
    // Each of the two may be away.
    await Promise.allSettled([removing, noteStop(stops, last)]);
  };
}

/** The latest report of each running process, sorted by name and pid. */
export async function readReports(redis: Redis): Promise<ProcessReport[]> {
  const keys = await redis.zrange(INDEX, '0', String(REPORTED_PROCESSES_MAX - 1));
  if (keys.length === 0) return [];
  const texts = await redis.mget(keys);
  return texts
    .filter((text) => text !== null)
    .map((text) => JSON.parse(text) as ProcessReport)
    .sort((a, b) => a.name.localeCompare(b.name) || a.pid - b.pid);
}

/** With the host: in a container most processes have the same pid. */
function keyOf({ name, pid }: ProcessReport): string {
  return `${KEY_PREFIX}${name}:${hostname()}:${pid}`;
}
