/** The mail catcher (mail-catcher.ts) as a part of the stack. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type Startable, type StopStep, startReady, type WrapCommand } from './child.ts';
import { MAIL_READY_MS, SERVER_STOP_MS } from './limits.ts';

export type MailOptions = { folder: string; smtpPort: number; webPort: number; wrap?: WrapCommand };
export type MailCatcher = Startable & { pid: number; smtpUrl: string; webUrl: string; stop: () => Promise<void> };

const STOP_STEPS: StopStep[] = [{ signal: 'SIGTERM', waitMs: SERVER_STOP_MS }];

export async function createMailCatcher({ folder, smtpPort, webPort, wrap }: MailOptions): Promise<MailCatcher> {
  const mailFolder = path.join(folder, 'mail');
  mkdirSync(mailFolder, { recursive: true, mode: 0o700 });
  const webUrl = `http://127.0.0.1:${webPort}`;
  const ready = () =>
    fetch(`${webUrl}/healthz`).then(
      (response) => response.ok,
      () => false,
    );
  const again = (signal?: AbortSignal) =>
    startReady(
      {
        folder,
        name: 'mail',
        wrap,
        command: process.execPath,
        // Sized for the index (MAILS_MAX); without a limit V8 would take far more before it collects garbage.
        args: [
          '--max-old-space-size=96',
          '--max-semi-space-size=4',
          path.join(import.meta.dirname, 'mail-catcher.ts'),
          mailFolder,
          String(smtpPort),
          String(webPort),
        ],
      },
      { ready, deadlineMs: MAIL_READY_MS, stopSteps: STOP_STEPS, signal },
    );
  const child = await again();
  const stop = () => child.stop(STOP_STEPS);
  const smtpUrl = `smtp://127.0.0.1:${smtpPort}`;
  return { ...{ pid: child.pid, smtpUrl, webUrl, stop }, child, stopSteps: STOP_STEPS, again };
}
