/** Faults that the alerts about mail must notice. */
import { MAIL_SLOW_MS } from '../../scripts/embedded/limits.ts';
import { JOBS_AT_ONCE } from '../../src/limits.ts';
import { MAIL_REFUSED_MIN } from '../../src/modules/operations/limits.ts';
import type { Layout } from '../layout/layout.ts';
import { killPart } from './kill-part.ts';
import { runStatement } from './plant-database.ts';
import type { PlantedAlert } from './planted-alert.ts';

const SLOW_MAILS = 4 * JOBS_AT_ONCE; // four times MAIL_SLOW_MS of work, a minute longer than the condition must last

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
    fault: `the mail server takes ${MAIL_SLOW_MS / 1_000} s over each of ${SLOW_MAILS} invitations`,
    group: 5,
    plant: ({ layout }) =>
      invite(
        layout,
        Array.from({ length: SLOW_MAILS }, (_, nth) => `slow-${nth}@invited.test`),
      ),
  },
];

/** The event that a real invitation writes, too, so that each is mailed at once. */
function invite(layout: Layout, emails: readonly string[]): Promise<() => undefined> {
  const rows = emails.map((email) => `(1, '${email}', 'viewer', 'Somebody', now() + interval '1 day')`);
  return runStatement(
    layout,
    `with invited as (
      insert into invitations (org_id, email, role, invited_by, expires_at) values ${rows.join(', ')} returning org_id, id
    )
    insert into outbox (org_id, topic, payload)
    select org_id, 'account.mail-wanted', jsonb_build_object('kind', 'invitation', 'id', id) from invited`,
  );
}
