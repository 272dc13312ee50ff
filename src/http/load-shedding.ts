/**
 * What it is: beyond a maximum of requests in flight, further ones are refused at once, with 503 and Retry-After.
 * What fails without it: all requests get slower together, until every one of them is answered too late to be of use.
 * How it works: counts requests from arrival to the end of the response, before the framework sees them. Refusals take
 *   capacity from the requests that are served, so a refusal is a few precomputed bytes. Health probes are never
 *   refused.
 * What it costs: two additions per request. Its bound: REQUESTS_IN_FLIGHT_MAX.
 * Its proof: test/http/load-shedding.test.ts.
 */
import type { OutgoingHttpHeaders, RequestListener, ServerResponse } from 'node:http';
import { overloaded } from '../errors.ts';
import { REQUESTS_IN_FLIGHT_MAX, RETRY_AFTER_SECONDS } from '../limits.ts';
import { HEALTH_PATHS } from '../process/health-endpoints.ts';
import type { Metrics } from '../process/metrics.ts';
import { PROBLEM_TYPE, toProblem } from './problem-details.ts';

/** Wraps `answer`; `headers` are those that every response has. */
export function shedLoad(answer: RequestListener, headers: OutgoingHttpHeaders, metrics: Metrics): RequestListener {
  const shed = metrics.counter('requests_shed', 'Requests refused because too many were in flight');
  const refuse = createRefusal(headers);
  let inFlight = 0;
  metrics.gauge('requests_in_flight', 'Requests between arrival and the end of the response', () => inFlight);
  const ended = () => {
    inFlight--;
  };

  return (request, response) => {
    if (inFlight >= REQUESTS_IN_FLIGHT_MAX && !isProbe(request.url ?? '')) {
      shed.inc();
      return refuse(response);
    }
    inFlight++;
    // `close` is emitted once per response, even when the client disconnects early.
    response.once('close', ended);
    answer(request, response);
  };
}

function createRefusal(headers: OutgoingHttpHeaders): (response: ServerResponse) => void {
  const problem = toProblem(overloaded('requests'));
  const body = Buffer.from(JSON.stringify(problem));
  const head = {
    ...headers,
    'content-type': PROBLEM_TYPE,
    'content-length': body.length,
    'cache-control': 'no-store',
    'retry-after': String(RETRY_AFTER_SECONDS),
  };
  return (response) => void response.writeHead(problem.status, head).end(body);
}

function isProbe(url: string): boolean {
  const path = url.split('?')[0];
  return HEALTH_PATHS.some((probe) => probe === path);
}
