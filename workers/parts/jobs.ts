import { MAIL_PACE, OUTBOX_EVERY_MS, OUTBOX_REPORT_EVERY_MS } from '../../src/limits.ts';
import { createDomainPace } from '../../src/mail/domain-pace.ts';
import { createMailing } from '../../src/mail/mailing.ts';
import { openTransport, SMTP_TIMING, transportSecurity } from '../../src/mail/transport.ts';
import type { Jobs, Module } from '../../src/modules/faces.ts';
import type { Process } from '../../src/process/run-process.ts';
import { openConsumer } from '../../src/queue/queues.ts';
import { PLATFORM_RETENTION, retentionLoops } from '../../src/queue/retention.ts';
import { every, startLoops } from '../../src/queue/schedule.ts';
import { relayOutbox, reportUnhandledTopics, type TopicHandlers } from '../../src/queue/transactional-outbox.ts';
import { createSharedThrottle } from '../../src/redis/shared-throttle.ts';
import { countMails } from './mail-metrics.ts';
import { receiveReports } from './mail-reports.ts';
import { loadFaces, loadLinks, queueNames } from './modules.ts';
import { useQueue } from './queue.ts';
import { registerRedisCheck, useDatabase, useMemoryWatch, useRedis } from './resources.ts';

/** The jobs of all modules: their loops, the consumers of their queues, and the relay that delivers their events. */
export async function runJobs(process: Process, modules: readonly Module[]): Promise<void> {
  const { config, log, metrics } = process;
  const database = await useDatabase(process);
  const redis = await useRedis(process, { needed: true });
  registerRedisCheck(process, redis);
  const memory = await useMemoryWatch(process, redis);
  const queues = new Map(
    await Promise.all(queueNames(modules).map(async (name) => [name, await useQueue(process, name, memory)] as const)),
  );
  const transport = await process.open(
    'smtp',
    () => openTransport(config.smtpUrl, SMTP_TIMING, transportSecurity(config)),
    ({ close }) => close(),
  );
  const mailers = config.instances.mailer + config.instances.all;
  const pace = { name: 'mail', perSecond: config.mailPerSecond, processes: mailers, pace: MAIL_PACE };
  const domainPace = createDomainPace(config.mailPerDomainPerSecond / Math.max(1, mailers));
  const mail = countMails(createMailing(transport, createSharedThrottle(redis, pace), domainPace), metrics);

  await receiveReports(process, database, modules);

  const links = await loadLinks(modules);
  const queue = (name: string) => queues.get(name) ?? refuseUnlisted(name);
  const faces = await loadFaces(modules, (module) => module.jobs);
  const all = faces.map(({ jobs }) => jobs({ config, log, database, metrics, mail, links, queue }));
  for (const [name, consume] of all.flatMap(({ consumers = {} }) => Object.entries(consumers))) {
    await process.open(
      `consumer ${name}`,
      () => openConsumer(name, config.redisUrl, consume, log),
      ({ close }) => close(),
    );
  }
  const retentions = (await loadFaces(modules, (module) => module.retention)).map(({ retention }) => retention);
  const topics: TopicHandlers = Object.assign({}, ...all.map((one: Jobs) => one.topics));
  const loops = [
    every(OUTBOX_EVERY_MS, 'outbox', () => relayOutbox(database, topics, log)),
    every(OUTBOX_REPORT_EVERY_MS, 'unhandled topics', () => reportUnhandledTopics(database, topics, log)),
    ...all.flatMap((one) => one.loops ?? []),
    ...retentionLoops(database, [PLATFORM_RETENTION, ...retentions]),
  ];
  await process.open(
    'loops',
    () => startLoops(loops, log),
    ({ close }) => close(),
  );
}

function refuseUnlisted(name: string): never {
  throw new Error(`The queue ${name} is not listed in src/modules.ts: add it to the queues of its module`);
}
