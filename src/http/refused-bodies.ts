/**
 * What it is: a sender whose large bodies keep being sent in vain waits before the next one is looked at.
 * What fails without it: ten connections that send megabytes of brackets, one after another, are refused 160 times a
 *   second. Each refusal is right and cheap, and together they take a third of a core: the p95 of everybody else's
 *   requests was 1.7 to 3.3 times the usual one (`attacks`, brackets).
 * How it works: a large body that was refused, or not wanted, costs its sender (an organisation, or a network while nobody
 *   is known) a token of a bucket. While it has none, its requests with a large body wait in front of everything else,
 *   about one interval apart, with nothing more read of them, and are then served as usual. A token that was taken in
 *   advance for a body that turned out to be good is given back. Those that would wait for too long, and those for which
 *   there is no room to wait, are told to come back: 429. Requests without a body never wait, nor those that announce a
 *   small one: nobody is kept from signing in by others of their network. A body without a length counts as large.
 * What it costs: a listener per large body. The sender's good bodies wait with the others. A client that leaves while it
 *   waits is noticed when its turn comes.
 * Its bound: LARGE_BODIES_IN_VAIN, LARGE_BODY_WAIT_MS_MAX, LARGE_BODIES_WAITING_MAX, RATE_LIMIT_KEYS_MAX. A customer
 *   counts as a part of their network until their first request of KNOWN_SESSION_MS has been recognised.
 * Its proof: test/http/refused-bodies.test.ts, and `attacks`, brackets.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { AppError, ERROR_STATUS } from '../errors.ts';
import { createTokenBuckets } from '../flow/token-bucket.ts';
import {
  LARGE_BODIES_IN_VAIN,
  LARGE_BODIES_WAITING_MAX,
  LARGE_BODY_WAIT_MS_MAX,
  RETRY_AFTER_SECONDS,
  SMALL_BODY_BYTES_MAX,
} from '../limits.ts';
import { hasBody } from '../process/http-server.ts';
import type { Metrics } from '../process/metrics.ts';
import type { CreateRefusal } from './problem-details.ts';
import { cameInCrumbs, type Senders } from './slow-client.ts';

export interface RefusedBodiesParts extends Pick<Senders, 'senderOf'> {
  readonly createRefusal: CreateRefusal;
  readonly metrics: Metrics;
}

/** Returns what wraps whatever answers requests. */
export function createRefusedBodies({ senderOf, createRefusal, metrics }: RefusedBodiesParts) {
  const tokens = createTokenBuckets(LARGE_BODIES_IN_VAIN);
  const refuse = createRefusal(TOO_MANY);
  const refused = metrics.counter('large_bodies_refused', 'Large bodies of senders who had sent too many in vain');
  let waiting = 0;
  metrics.gauge(
    'bodies_waiting',
    'Large bodies of senders who have sent some in vain, not looked at yet',
    () => waiting,
  );

  return (answer: RequestListener): RequestListener =>
    (request, response) => {
      if (!hasLargeBody(request)) return answer(request, response);
      const sender = senderOf(request);
      const waitMs = tokens.waitMs(sender);
      if (waitMs === 0) {
        response.once('close', () => isInVain(request, response) && tokens.fine(sender, 1));
        return answer(request, response);
      }
      if (waitMs > LARGE_BODY_WAIT_MS_MAX || waiting === LARGE_BODIES_WAITING_MAX) {
        refused.inc();
        return refuse(response);
      }
      tokens.fine(sender, 1); // in advance: those that come meanwhile stand behind this one
      response.once('close', () => isInVain(request, response) || tokens.refund(sender, 1));
      waiting++;
      request.socket.pause();
      setTimeout(() => {
        waiting--;
        request.socket.resume();
        if (!response.destroyed) answer(request, response);
      }, waitMs);
    };
}

const TOO_MANY = new AppError(
  'rate_limited',
  'Too many large requests from you or your network were refused just now. Try again in a moment.',
  {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  },
);

/** One without a length may be as large as it likes. */
function hasLargeBody(request: IncomingMessage): boolean {
  return hasBody(request) && !(Number(request.headers['content-length']) <= SMALL_BODY_BYTES_MAX);
}

/**
 * Whether it cost us something and was of no use: it was not wanted, could not be read, or came in crumbs. Not when it came
 * too slowly, its client went, or the fault was ours: there are other limits for these.
 */
function isInVain(request: IncomingMessage, { statusCode }: ServerResponse): boolean {
  if (cameInCrumbs(request)) return true;
  if (request.socket.destroyed || statusCode === ERROR_STATUS.too_slow || statusCode >= 500) return false;
  return !request.complete || UNREADABLE.includes(statusCode);
}

const UNREADABLE: readonly number[] = [ERROR_STATUS.invalid, ERROR_STATUS.too_large, ERROR_STATUS.unsupported];
