/**
 * What it is: a sender whose large bodies keep being refused waits before the next one is looked at.
 * What fails without it: ten connections that send megabytes of brackets, one after another, are refused 160 times a
 *   second. Each refusal is right and cheap, and together they take a third of a core: the p95 of everybody else's
 *   requests was 1.7 to 3.3 times the usual one (`attacks`, brackets; 0.8 to 1.3 times with it).
 * How it works: a large body that was refused costs its sender (an organisation, or a network while nobody is known) a
 *   token of a bucket. While it has none, its requests with a large body wait in front of everything else, unread, one
 *   interval apart, and are then served as usual: what was read in vain gets slower, not the sender. A token that was
 *   taken for a body that turned out to be good is given back. Those who would wait for too long, and those for whom there
 *   is no room to wait, are told to come back: 429. Small bodies and requests without one never wait, so nobody can be
 *   kept from signing in by others of their network. A body that came too slowly costs nothing here: there are limits for
 *   that (src/http/slow-client.ts).
 * What it costs: a listener per large body.
 * Its bound: LARGE_BODIES_REFUSED, LARGE_BODY_WAIT_MS_MAX, LARGE_BODIES_WAITING_MAX, RATE_LIMIT_KEYS_MAX.
 * Its proof: test/http/refused-bodies.test.ts, and `attacks`, brackets.
 */
import type { IncomingMessage, OutgoingHttpHeaders, RequestListener, ServerResponse } from 'node:http';
import { AppError, ERROR_STATUS } from '../errors.ts';
import { createTokenBuckets } from '../flow/token-bucket.ts';
import {
  LARGE_BODIES_REFUSED,
  LARGE_BODIES_WAITING_MAX,
  LARGE_BODY_WAIT_MS_MAX,
  RETRY_AFTER_SECONDS,
  SMALL_BODY_BYTES_MAX,
} from '../limits.ts';
import { hasBody } from '../process/http-server.ts';
import type { Metrics } from '../process/metrics.ts';
import { createRefusal } from './problem-details.ts';
import type { Senders } from './slow-client.ts';

export interface RefusedBodiesParts extends Pick<Senders, 'senderOf'> {
  /** Those that every response has. */
  readonly headers: OutgoingHttpHeaders;
  readonly metrics: Metrics;
}

/** Returns what wraps whatever answers requests. */
export function createRefusedBodies({ senderOf, headers, metrics }: RefusedBodiesParts) {
  const tokens = createTokenBuckets(LARGE_BODIES_REFUSED);
  const refuse = createRefusal(TOO_MANY, headers);
  let waiting = 0;
  metrics.gauge(
    'bodies_waiting',
    'Large bodies of senders whose last ones were refused, not looked at yet',
    () => waiting,
  );

  /** `go` is not called when the client has left by then. */
  function wait(ms: number, response: ServerResponse, go: () => void): void {
    waiting++;
    const end = () => {
      clearTimeout(timer);
      response.off('close', end);
      waiting--;
    };
    const timer = setTimeout(() => {
      end();
      go();
    }, ms);
    response.once('close', end);
  }

  return (answer: RequestListener): RequestListener =>
    (request, response) => {
      if (!hasLargeBody(request)) return answer(request, response);
      const sender = senderOf(request);
      const waitMs = tokens.waitMs(sender);
      if (waitMs === 0) {
        response.once('prefinish', () => isRefusal(response) && tokens.fine(sender, 1));
        return answer(request, response);
      }
      if (waitMs > LARGE_BODY_WAIT_MS_MAX || waiting === LARGE_BODIES_WAITING_MAX) return refuse(response);
      tokens.fine(sender, 1); // at once: those that come meanwhile stand behind this one
      response.once('prefinish', () => isRefusal(response) || tokens.refund(sender, 1));
      wait(waitMs, response, () => answer(request, response));
    };
}

const TOO_MANY = new AppError('rate_limited', 'Too many bodies that had to be refused. Try again in a moment.', {
  retryAfterSeconds: RETRY_AFTER_SECONDS,
});

/** One without a length may be as large as it likes. */
function hasLargeBody(request: IncomingMessage): boolean {
  return hasBody(request) && !(Number(request.headers['content-length']) <= SMALL_BODY_BYTES_MAX);
}

function isRefusal({ statusCode }: ServerResponse): boolean {
  return statusCode >= 400 && statusCode < 500 && statusCode !== ERROR_STATUS.too_slow;
}
