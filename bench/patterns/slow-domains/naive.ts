import { createFairQueue } from '../../../src/flow/fair-queue.ts';
import { SMTP_CONNECTIONS_MAX } from '../../../src/limits.ts';
import { openTransport } from '../../../src/mail/transport.ts';
import { mailTo, type Sender } from './case.ts';

/** A limit for each domain: there are always more domains. */
export function openSender(smtpUrl: string): Sender {
  const transport = openTransport(smtpUrl);
  const places = createFairQueue({ atOnce: SMTP_CONNECTIONS_MAX, perKey: 2 });
  return {
    async send(to) {
      const domain = to.slice(to.lastIndexOf('@') + 1);
      const { kind } = await places.run(domain, () => transport.send(mailTo(to)));
      return kind === 'sent';
    },
    close: transport.close,
  };
}
