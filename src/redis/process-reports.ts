/**
 * Every process says every REPORT_EVERY_MS how it is; the operations page reads what was said in the last
 * REPORT_TTL_SECONDS. Redis holds it because it may be lost: nothing is kept, and a dead process is forgotten.
 */
import type { Redis } from 'ioredis';
import { REPORT_EVERY_MS, REPORT_TTL_SECONDS, REPORTED_PROCESSES_MAX } from '../limits.ts';
import type { ProcessReport } from '../process/metrics.ts';

const KEY_PREFIX = 'tardigrade:process:';
const INDEX = 'tardigrade:processes';

/** Starts reporting; returns how to stop. A report that Redis does not take is simply the next one's turn. */
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

/** The processes that said something lately, by name and pid. */
export async function readReports(redis: Redis): Promise<ProcessReport[]> {
  const keys = await redis.zrange(INDEX, '0', String(REPORTED_PROCESSES_MAX - 1));
  if (keys.length === 0) return [];
  const texts = await redis.mget(keys);
  return texts
    .filter((text) => text !== null)
    .map((text) => JSON.parse(text) as ProcessReport)
    .sort((a, b) => a.name.localeCompare(b.name) || a.pid - b.pid);
}
