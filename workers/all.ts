import type { Process } from '../src/process/run-process.ts';
import { start as startApi } from './api.ts';
import { start as startChat } from './chat.ts';
import { start as startMailer } from './mailer.ts';

/** api, mailer and chat in one process, sharing pools and Redis: the one-nano deployment. */
export async function start(process: Process): Promise<void> {
  await startMailer(process);
  await startChat(process);
  await startApi(process);
}
