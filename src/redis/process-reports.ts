/**
 * Every process reports its state every REPORT_EVERY_MS; the operations page reads the reports of the last
 * REPORT_TTL_SECONDS. They are in Redis because they can be lost: reports expire, so a dead process disappears.
 */
import type { Redis } from 'ioredis';
import { REPORT_EVERY_MS, REPORT_TTL_SECONDS, REPORTED_PROCESSES_MAX } from '../limits.ts';
import type { ProcessReport } from '../process/metrics.ts';

const KEY_PREFIX = 'tardigrade:process:';
const INDEX = 'tardigrade:processes';

/** Starts reporting; returns a function that stops it. A failed report is dropped: the next one follows soon. */
export function publishReports(redis: Redis, report: () => ProcessReport): () => void {
  const publish = async () => {
    const current = report();
    const key = `${KEY_PREFIX}${current.name}:${current.pid}`;
    await redis
      .multi()
      .set(key, JSON.stringify(current), 'EX', REPORT_TTL_SECONDS)
      .zadd(INDEX, Date.now(), key)
      .zremrangebyscore(INDEX, 0, Date.now() - REPORT_TTL_SECONDS * 1000)
      .exec()
      .catch(() => undefined);
  };
  void publish();
  const timer = setInterval(publish, REPORT_EVERY_MS);
  return () => clearInterval(timer);
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
