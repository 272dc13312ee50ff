import type { IncomingMessage } from 'node:http';
import { createTokenBuckets, type TokenBuckets } from '../flow/token-bucket.ts';
import { RETRY_AFTER_SECONDS, TICKETS_PER_LINK } from '../limits.ts';
import { clientAddress, networkOf } from '../process/client-address.ts';
import { type Admission, type AdmissionLimits, createAdmission } from './admission.ts';
import { createOriginCheck } from './origins.ts';
import type { Refusal } from './refusal.ts';

export interface DoorOptions {
  /** The addresses of our own pages. Others cannot connect. */
  readonly origins: readonly string[];
  readonly admission: AdmissionLimits;
  /** The number of proxies in front whose `X-Forwarded-For` is trusted. */
  readonly proxyHops: number;
}

/** Who may come in. The upgrades to sockets share it with the exchange of tickets. */
export interface Door {
  readonly admission: Admission;
  /** How often each link comes. One whose socket was cut off for flooding has to wait. */
  readonly links: TokenBuckets;
  /** Why nobody from there gets in, however few there are. */
  refusalOf(request: IncomingMessage): Refusal | undefined;
  /** What limits count by. */
  networkOf(request: IncomingMessage): string;
  /** From then on nobody gets in: the process is about to end. */
  shut(): void;
}

export function createDoor({ origins, admission, proxyHops }: DoorOptions): Door {
  const isOurs = createOriginCheck(origins);
  let isShut = false;
  return {
    admission: createAdmission(admission),
    links: createTokenBuckets(TICKETS_PER_LINK),
    refusalOf({ headers }) {
      if (isShut) return { status: 503, retryAfterSeconds: RETRY_AFTER_SECONDS };
      return isOurs(headers.origin) ? undefined : { status: 403 };
    },
    networkOf: (request) => networkOf(clientAddress(request, proxyHops)),
    shut() {
      isShut = true;
    },
  };
}
