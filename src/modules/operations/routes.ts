import { Type } from 'typebox';
import { EVERY_ORGANISATION } from '../../db/tenant-isolation.ts';
import type { App } from '../../http/app.ts';
import { nullable, Time } from '../../http/schemas.ts';
import { queueDepths } from '../../queue/queue-depth.ts';
import { deathsSince } from '../../redis/deaths.ts';
import { readReports } from '../../redis/process-reports.ts';
import type { ApiContext } from '../faces.ts';
import { runningBudget } from './budget.ts';
import { DEATHS_WINDOW_MS } from './limits.ts';
import { databaseState, firingAlerts } from './queries.ts';

const Bytes = Type.Integer();
const Report = Type.Object({
  name: Type.String(),
  pid: Type.Integer(),
  startedAt: Time,
  reportedAt: Time,
  memory: Type.Object({
    rssBytes: Bytes,
    heapUsedBytes: Bytes,
    heapLimitBytes: Bytes,
    limitBytes: Bytes,
    limitIsEnforced: Type.Boolean(),
    containerUsedBytes: nullable(Bytes),
  }),
  cpuShare: Type.Number({ description: 'of one core' }),
  eventLoopDelayMs: Type.Object({ p50: Type.Number(), p99: Type.Number(), max: Type.Number() }),
  gauges: Type.Record(Type.String(), Type.Number()),
  words: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'what each gauge is' })),
});

const Operations = Type.Object({
  now: Type.String({ description: 'the clock to compare reportedAt with' }),
  alerts: Type.Array(Type.Object({ rule: Type.String(), process: Type.String(), detail: Type.String(), since: Time }), {
    description: 'what is wrong now, or was a moment ago',
  }),
  deaths: Type.Array(
    Type.Object({ at: Time, cause: Type.Union([Type.Literal('oom'), Type.Literal('crash')]), says: Type.String() }),
    {
      description:
        'processes that ended lately without being asked to; `oom`: the kernel killed it because of its memory',
    },
  ),
  processes: Type.Array(Report),
  replica: Type.Object({ state: Type.String(), lagMs: nullable(Type.Number()), lagBytes: nullable(Bytes) }),
  queues: Type.Array(
    Type.Object({
      name: Type.String(),
      waiting: Type.Integer(),
      active: Type.Integer(),
      delayed: Type.Integer(),
      failed: Type.Integer(),
    }),
  ),
  outbox: Type.Object({ waiting: Type.Integer() }),
  database: Type.Object({
    connections: Type.Integer(),
    connectionsMax: Type.Integer(),
    sizeBytes: Bytes,
    budget: nullable(
      Type.Object(
        { needed: Type.Integer(), allowed: Type.Integer(), arithmetic: Type.String() },
        { description: 'connections that all processes may open, and that they are given; null behind a pooler' },
      ),
    ),
  }),
  redis: nullable(Type.Object({ usedBytes: Bytes, maxBytes: Bytes })),
});

export function routes(api: App, context: ApiContext): void {
  const { database, log } = context;
  api.get(
    '/operations',
    {
      config: { operator: true },
      schema: {
        summary: 'The state of every process, queue and server',
        tags: ['operations'],
        response: { 200: Operations },
      },
    },
    async () => {
      const primary = database.primary(EVERY_ORGANISATION);
      const [{ outboxWaiting, replicaLagBytes, ...state }, alerts, fromRedis] = await Promise.all([
        databaseState(primary),
        firingAlerts(primary),
        redisState(context).catch((error) => {
          log.warn({ err: error }, 'redis unavailable: showing operations without it');
          return { processes: [context.report()], deaths: [], queues: [], redis: null };
        }),
      ]);
      const budget = (await runningBudget(database, context.config.instances, fromRedis.processes)) ?? null;
      return {
        now: new Date().toISOString(),
        alerts,
        ...fromRedis,
        replica: { ...database.replica(), lagBytes: replicaLagBytes },
        outbox: { waiting: outboxWaiting },
        database: { ...state, budget },
      };
    },
  );
}

async function redisState({ redis, queues: names, report }: ApiContext) {
  const [processes, deaths, queues, info] = await Promise.all([
    readReports(redis),
    deathsSince(redis, Date.now() - DEATHS_WINDOW_MS),
    queueDepths(redis, names),
    redis.info('memory'),
  ]);
  return {
    // In its first moment this process has not reported yet.
    processes: processes.length > 0 ? processes : [report()],
    deaths: deaths.map(({ at, ...death }) => ({ ...death, at: new Date(at).toISOString() })),
    queues,
    redis: { usedBytes: numberIn(info, 'used_memory'), maxBytes: numberIn(info, 'maxmemory') },
  };
}

function numberIn(info: string, field: string): number {
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}
