/**
 * What it is: past a number of requests in flight the next one is refused at once, with 503 and Retry-After.
 * What fails without it: every request gets slower together until all of them are answered too late for anybody.
 * How it works: counts requests from arrival to the end of the answer; health probes are never refused.
 * What it costs: two additions per request. Its bound: REQUESTS_IN_FLIGHT_MAX.
 * Its proof: test/http/load-shedding.test.ts.
 */
import { AppError } from '../errors.ts';
import { REQUESTS_IN_FLIGHT_MAX, RETRY_AFTER_SECONDS } from '../limits.ts';
import type { Metrics } from '../process/metrics.ts';
import type { App } from './app.ts';

export function shedLoad(app: App, metrics: Metrics, inFlightMax = REQUESTS_IN_FLIGHT_MAX): void {
  const shed = metrics.counter('requests_shed', 'Requests refused because too many were in flight');
  const counted = new WeakSet<object>();
  let inFlight = 0;
  metrics.gauge('requests_in_flight', 'Requests between arrival and end of answer', () => inFlight);

  app.addHook('onRequest', (request, reply, done) => {
    if (inFlight >= inFlightMax && request.routeOptions.config.always !== true) {
      shed.inc();
      return done(
        new AppError('overloaded', 'Too many requests at once. Try again in a moment.', {
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        }),
      );
    }
    inFlight++;
    counted.add(reply.raw);
    // `close` comes once for every answer, also when the client went away in the middle.
    reply.raw.once('close', () => {
      if (counted.delete(reply.raw)) inFlight--;
    });
    done();
  });
}
