import { MODULES } from '../src/modules.ts';
import type { Process } from '../src/process/run-process.ts';
import { start as startApi } from './api.ts';
import { start as startChat } from './chat.ts';
import { runJobs } from './parts/jobs.ts';

/** api, mailer and chat in one process, sharing pools and Redis: the one-nano deployment. The api answers the probes. */
export async function start(process: Process, modules = MODULES): Promise<void> {
  await runJobs(process, modules);
  await startChat(process, modules);
  await startApi(process, modules);
}
