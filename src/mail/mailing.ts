import pLimit from 'p-limit';
import { createThrottle } from '../flow/throttle.ts';
import { MAILS_IN_FLIGHT_MAX } from '../limits.ts';
import type { Mail, MailOutcome, Transport } from './transport.ts';

/** Sends all mails of a process. */
export interface Mailing {
  /** Waits for one of MAILS_IN_FLIGHT_MAX slots and for the provider's rate limit, then sends. */
  send(mail: Mail): Promise<MailOutcome>;
  readonly inFlight: number;
}

export function createMailing(transport: Pick<Transport, 'send'>, perSecond: number): Mailing {
  const places = pLimit(MAILS_IN_FLIGHT_MAX);
  const throttle = createThrottle(perSecond);
  return {
    send: (mail) =>
      places(async () => {
        await throttle.pass();
        return transport.send(mail);
      }),
    get inFlight() {
      return places.activeCount;
    },
  };
}
