import { createMailing } from '../../../src/mail/mailing.ts';
import { openTransport } from '../../../src/mail/transport.ts';
import { mailTo, type Sender } from './case.ts';

/** Places of their own for all slow domains together. */
export function openSender(smtpUrl: string): Sender {
  const transport = openTransport(smtpUrl);
  const throttle = { pass: async () => undefined, slowDown: () => undefined, perSecond: 1_000 };
  const mailing = createMailing(transport, throttle);
  return {
    async send(to) {
      const { kind } = await mailing.send(mailTo(to));
      return kind === 'sent';
    },
    close: transport.close,
  };
}
