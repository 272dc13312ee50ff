/** Faults that the alerts about the processes themselves must notice, and whether anybody looks at them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { REPORT_EVERY_MS, REPORT_TTL_SECONDS } from '../../src/limits.ts';
import { createMetrics } from '../../src/process/metrics.ts';
import type { ServingProcess } from '../../src/processes.ts';
import type { Layout } from '../layout/layout.ts';
import { killPart } from './kill-part.ts';
import { SPARE } from './plant-memory.ts';
import { NOTHING, type PlantedAlert } from './planted-alert.ts';

const SECOND_API = 'api-2';

export const PROCESS_FAULTS: readonly PlantedAlert[] = [
  {
    rule: 'EventLoopDelayed',
    fault: 'chat-2 stands still for 0.4 s of each second',
    group: 1,
    async plant({ layout }) {
      let ended = false;
      const pulsing = (async () => {
        while (!ended) {
          await layout.kill(SPARE, 'SIGSTOP');
          await sleep(400);
          await layout.kill(SPARE, 'SIGCONT');
          await sleep(600);
        }
      })();
      return async () => {
        ended = true;
        await pulsing;
      };
    },
  },
  {
    rule: 'ProcessMissing',
    fault: `kill -9 of ${SECOND_API}, and nobody starts it again`,
    group: 3,
    lasts: true,
    plant: ({ layout }) => killPart(layout, SECOND_API),
  },
  {
    rule: 'NotScraped',
    fault: 'the same',
    group: 3,
    lasts: true,
    toldBy: 'Prometheus only',
    plant: ({ layout }) => killPart(layout, SECOND_API),
  },
  {
    rule: 'ConnectionsOverBudget',
    fault: 'two more api report than their number says',
    group: 0,
    plant: ({ layout }) => reportAs(layout, 'api', ['planted-1', 'planted-2']),
  },
  {
    rule: 'NothingScraped',
    fault: 'the scrape configuration has no targets any more',
    group: 9,
    minutes: 3,
    toldBy: 'Prometheus only',
    plant: async ({ prometheus }) => (await prometheus?.forgetTargets()) ?? NOTHING,
  },
  {
    rule: 'Watchdog',
    fault: 'none: it always fires',
    group: 0,
    toldBy: 'Prometheus only',
    plant: async () => NOTHING,
  },
  {
    rule: 'Crashing',
    fault: 'kill -9 of chat-2, three times',
    group: 4,
    async plant({ layout }) {
      for (let time = 0; time < 3; time++) {
        await layout.kill(SPARE, 'SIGKILL');
        await layout.restart(SPARE);
        await sleep(5_000); // its first report
      }
      return NOTHING;
    },
  },
];

/** What further instances on other hosts would leave in Redis (src/redis/process-reports.ts); they complain of nothing. */
async function reportAs(layout: Layout, name: ServingProcess, hosts: readonly string[]): Promise<() => unknown> {
  const redis = new Redis(layout.addresses.redisUrl);
  const calm = { ...createMetrics(name).report(), own: {}, recent: {} };
  const publish = async () => {
    for (const host of hosts) {
      const key = `tardigrade:process:${name}:${host}:1`;
      const report = JSON.stringify({ ...calm, host, pid: 1, reportedAt: new Date().toISOString() });
      await redis
        .multi()
        .set(key, report, 'EX', REPORT_TTL_SECONDS)
        .zadd('tardigrade:processes', Date.now(), key)
        .exec();
    }
  };
  const timer = setInterval(() => void publish().catch(() => undefined), REPORT_EVERY_MS);
  await publish();
  return () => {
    clearInterval(timer);
    redis.disconnect();
  };
}
