import { MODULES } from '../src/modules.ts';
import { createHealthServer } from '../src/process/health-endpoints.ts';
import { closeServer, listen } from '../src/process/listen.ts';
import type { Process } from '../src/process/run-process.ts';
import { runJobs } from './parts/jobs.ts';

/** All background work: cron, outbox relay, mails, retention. */
export async function start(process: Process, modules = MODULES): Promise<void> {
  const { config, log, health, metrics } = process;
  await runJobs(process, modules);
  const server = await process.open('http', () => createHealthServer(health, metrics), closeServer);
  await listen(server, { host: config.host, port: config.mailerPort, variable: 'MAILER_PORT' }, log);
}
