/** Faults that the alerts about mail must notice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SMTP_CONNECTIONS_MAX } from '../../src/limits.ts';
import { MAIL_REFUSED_MIN } from '../../src/modules/operations/limits.ts';
import type { Layout } from '../layout/layout.ts';
import { killPart } from './kill-part.ts';
import { runStatement } from './plant-database.ts';
import type { PlantedAlert } from './planted-alert.ts';

const MAIL_WAKES_EVERY_MS = 2 * 60_000; // well below what a mailer waits for an answer
const MAIL_AWAKE_MS_MAX = 5_000;
const MAILS_EACH_TIME = 2 * SMTP_CONNECTIONS_MAX; // so that each connection has had its turn
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
    fault: 'the mail server stands still, but for a few mails every two minutes, and many are sent',
    group: 10,
    minutes: 16,
    needsMails: true,
    async plant({ layout, sendMails }) {
      await layout.kill('mail', 'SIGSTOP');
      await sendMails?.();
      await sendMails?.();
      const waking = setInterval(async () => {
        await layout.kill('mail', 'SIGCONT');
        await untilSomeAreSent(layout.addresses.mailer).catch(() => undefined); // nobody waits for this
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

/** With fewer, a connection waits in vain for its greeting, and the mailer calls the server away: another alert's business. */
async function untilSomeAreSent(mailer: string): Promise<void> {
  const sent = async () => {
    const text = await (await fetch(`${mailer}/metrics`)).text();
    return Number(/^tardigrade_mails_sent_total\b.* (\d+)$/m.exec(text)?.[1]);
  };
  const enough = (await sent()) + MAILS_EACH_TIME;
  const until = performance.now() + MAIL_AWAKE_MS_MAX;
  while ((await sent()) < enough && performance.now() < until) await sleep(MAIL_POLL_MS);
}
