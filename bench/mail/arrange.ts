import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { choosePort } from '../../scripts/embedded/ports.ts';
import { superviseWorker } from '../../scripts/embedded/supervise.ts';
import { openMigrationDatabase } from '../../src/db/migrate.ts';
import { MODULES } from '../../src/modules.ts';
import { heapFlags } from '../../src/process/memory-limit.ts';
import { createBox } from '../box/box.ts';
import { readComposeLimits } from '../box/compose-limits.ts';
import type { Layout } from '../layout/layout.ts';
import { ownPrograms, wrapWith } from '../layout/programs.ts';
import type { ToSend } from './bare.ts';
import { PROGRESS_POLL_MS, SEND_MS_MAX } from './limits.ts';
import type { MailRun } from './mail-run.ts';

export interface Contestant {
  /** Sends one mail to each of so many people; returns the seconds between the first and the last. */
  send(mails: number): Promise<number>;
  /** Of its box, without the page cache of plain files. */
  peakBytes(): number;
  stop(): Promise<void>;
}

interface Sizes {
  readonly mails: number;
  readonly warmUpMails: number;
}

/** The mailer of the layout, which has sent `warmUpMails` already. */
export async function startProduct(layout: Layout, run: MailRun, sizes: Sizes): Promise<Contestant> {
  const db = openMigrationDatabase(layout.addresses.databaseUrl);
  const organisations = new Map<number, number>();
  for (const size of [sizes.warmUpMails, sizes.mails]) organisations.set(size, await run.fill(db, size));

  async function send(mails: number): Promise<number> {
    const orgId = organisations.get(mails) as number;
    const id = await run.begin(db, orgId);
    for (const deadline = performance.now() + SEND_MS_MAX; ; ) {
      await sleep(PROGRESS_POLL_MS);
      const { isOver, sent, seconds } = await run.progressOf(db, orgId, id);
      if (isOver && sent === mails) return seconds;
      if (isOver || performance.now() > deadline) throw new Error(`${sent} of ${mails} mails were sent`);
    }
  }

  await send(sizes.warmUpMails);
  return {
    send,
    peakBytes: () => layout.boxes.get('mailer')?.figures().neededPeakBytes ?? 0,
    stop: () => db.destroy(),
  };
}

/** Bare nodemailer in a box like the mailer's, which has sent `warmUpMails` already. */
export async function startBare(folder: string, smtpUrl: string, run: MailRun, sizes: Sizes): Promise<Contestant> {
  const limits = readComposeLimits().parts.get('mailer');
  if (limits === undefined) throw new Error('docker-compose.yml has no service mailer');
  const box = await createBox({ name: 'bare', ...limits });
  const port = await choosePort('mailer', 'any');
  const url = `http://127.0.0.1:${port}`;
  const wrap = wrapWith(await ownPrograms('bare', ['mailer'], folder), box.wrap);
  const worker = await superviseWorker({
    folder,
    name: 'bare',
    wrap,
    command: process.execPath,
    args: [
      ...heapFlags({ bytes: limits.memoryBytes, source: 'container' }),
      path.join(import.meta.dirname, 'bare.ts'),
      String(port),
      smtpUrl,
    ],
    readyUrl: url,
    restart: false,
  });
  const links = await Promise.all(MODULES.flatMap((module) => module.links?.() ?? []));
  const sample = run.sample(links.map(({ link }) => link));
  let rounds = 0;

  async function send(mails: number): Promise<number> {
    const body: ToSend = { sample, count: mails, domain: `bare-${++rounds}.test` };
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
    return ((await answer.json()) as { seconds: number }).seconds;
  }

  await send(sizes.warmUpMails);
  return {
    send,
    peakBytes: () => box.figures().neededPeakBytes,
    async stop() {
      await worker.stop();
      await box.close();
    },
  };
}
