/** Faults that the alerts about mail must notice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MAIL_REFUSED_MIN } from '../../src/modules/operations/limits.ts';
import type { Layout } from '../layout/layout.ts';
import { killPart } from './kill-part.ts';
import { runStatement } from './plant-database.ts';
import type { PlantedAlert } from './planted-alert.ts';

const MAIL_WAKES_EVERY_MS = 2 * 60_000; // well below what a mailer waits for an answer
const MAIL_AWAKE_MS_MAX = 5_000;
const MAIL_POLL_MS = 20;

export const MAIL_FAULTS: readonly PlantedAlert[] = [
  {
    rule: 'MailHeld',
    fault: 'kill -9 of the mail server, while an invitation waits to be sent',
    group: 3,
    async plant({ layout }) {
      const undo = await killPart(layout, 'mail');
      await invite(layout, ['nobody@invited.test']);
      return undo;
    },
  },
  {
    rule: 'MailRefused',
    fault: 'of 40 invitations the mail server refuses 30, because nobody has these addresses',
    group: 4,
    plant: ({ layout }) =>
      invite(layout, [
        ...Array.from({ length: MAIL_REFUSED_MIN * 1.5 }, (_, nth) => `bounce-${nth}@invited.test`),
        ...Array.from({ length: 10 }, (_, nth) => `somebody-${nth}@invited.test`),
      ]),
  },
  {
    rule: 'MailStuck',
    fault: 'the mail server stands still, but for a mail or some every two minutes, and many are sent',
    group: 10,
    minutes: 16,
    needsMails: true,
    async plant({ layout, sendMails }) {
      await layout.kill('mail', 'SIGSTOP');
      await sendMails?.();
      const waking = setInterval(async () => {
        await layout.kill('mail', 'SIGCONT');
        await untilOneIsSent(layout.addresses.mailer).catch(() => undefined); // nobody waits for this
        await layout.kill('mail', 'SIGSTOP');
      }, MAIL_WAKES_EVERY_MS);
      return async () => {
        clearInterval(waking);
        await layout.kill('mail', 'SIGCONT');
      };
    },
  },
];

/** Old enough for the sweep, which enqueues within a minute what was forgotten. */
function invite(layout: Layout, emails: readonly string[]): Promise<() => undefined> {
  const rows = emails.map(
    (email) => `(1, '${email}', 'viewer', 'Somebody', now() - interval '5 minutes', now() + interval '1 day')`,
  );
  return runStatement(
    layout,
    `insert into invitations (org_id, email, role, invited_by, created_at, expires_at) values ${rows.join(', ')}`,
  );
}

/** Without that, the mailer waits in vain for its greeting and calls the server away: another alert's business. */
async function untilOneIsSent(mailer: string): Promise<void> {
  const sent = async () =>
    /^tardigrade_mails_sent_total\b.* (\d+)$/m.exec(await (await fetch(`${mailer}/metrics`)).text())?.[1];
  const before = await sent();
  const until = performance.now() + MAIL_AWAKE_MS_MAX;
  while ((await sent()) === before && performance.now() < until) await sleep(MAIL_POLL_MS);
}
