import { setPriority } from 'node:os';
import pLimit from 'p-limit';
import { createThrottle } from '../src/flow/throttle.ts';
import {
  DUE_EVERY_MS,
  MAILER_NICE,
  MAILS_IN_FLIGHT_MAX,
  OUTBOX_EVERY_MS,
  RETENTION_EVERY_MS,
  SWEEP_EVERY_MS,
} from '../src/limits.ts';
import { openTransport } from '../src/mail/transport.ts';
import { type CampaignJob, deliverLaunches, handleCampaign, sweepCampaigns } from '../src/modules/campaigns/jobs.ts';
import { launchDueCampaigns } from '../src/modules/campaigns/scheduled-launches.ts';
import { forgetOldConversations } from '../src/modules/conversations/jobs.ts';
import { failAbandonedImports } from '../src/modules/employees/employees.ts';
import { createHealthServer } from '../src/process/health-endpoints.ts';
import { closeServer, listen } from '../src/process/listen.ts';
import type { Process } from '../src/process/run-process.ts';
import { openConsumer } from '../src/queue/queues.ts';
import { every, startLoops } from '../src/queue/schedule.ts';
import { relayOutbox } from '../src/queue/transactional-outbox.ts';
import { useQueue } from './parts/queue.ts';
import { useDatabase } from './parts/resources.ts';

/** Cron, outbox relay, mails, retention: everything that happens without anybody waiting for it. */
export async function start(process: Process): Promise<void> {
  const { config, log, metrics } = process;
  // Where api and chat share the processor with it, they go first: nobody waits for a mail's millisecond.
  if (process.name === 'mailer') setPriority(MAILER_NICE);
  const database = await useDatabase(process);
  const queue = await useQueue(process, 'campaigns');
  const transport = await process.open(
    'smtp',
    () => openTransport(config.smtpUrl),
    ({ close }) => close(),
  );
  const inFlight = pLimit(MAILS_IN_FLIGHT_MAX);
  metrics.gauge('mails_in_flight', 'Mails being handed over', () => inFlight.activeCount);

  const parts = { config, log, database, transport, throttle: createThrottle(config.mailPerSecond), inFlight };
  await process.open(
    'campaigns',
    () =>
      openConsumer<CampaignJob>('campaigns', config.redisUrl, (job, signal) => handleCampaign(parts, job, signal), log),
    ({ close }) => close(),
  );
  const loops = [
    every(OUTBOX_EVERY_MS, 'outbox', () => relayOutbox(database, (events) => deliverLaunches(queue, events))),
    every(DUE_EVERY_MS, 'due campaigns', (signal) => launchDueCampaigns(database, signal)),
    every(SWEEP_EVERY_MS, 'sweep', () => sweepCampaigns(database, queue)),
    every(SWEEP_EVERY_MS, 'abandoned imports', () => failAbandonedImports(database)),
    every(RETENTION_EVERY_MS, 'retention', (signal) => forgetOldConversations(database, signal)),
  ];
  await process.open(
    'loops',
    () => startLoops(loops, log),
    ({ close }) => close(),
  );

  if (process.name !== 'mailer') return; // inside `all`, the api answers the probes
  const server = await process.open('http', () => createHealthServer(process.health, metrics), closeServer);
  await listen(server, { host: config.host, port: config.mailerPort, variable: 'MAILER_PORT' });
}
