/**
 * What a route does not read is refused, where it may have been meant: a client that sends `{"dryRun": true}`, or
 * `?dryRun=true`, to what has no dry run must not learn that from what happens. Schemas refuse unknown fields; this is for
 * routes that have no schema for a body, or change something and have none for a query. `{}` is no body: many clients
 * send one with every POST. The query of a GET changes nothing, and links gather parameters on their way.
 */
import type { FastifyInstance } from 'fastify';
import { AppError } from '../errors.ts';
import { isStream } from './slow-client.ts';

export function refuseUnreadInput(api: FastifyInstance): void {
  api.addHook('preValidation', ({ method, body, query, routeOptions: { schema } }, _reply, done) => {
    const mayChange = method !== 'GET' && method !== 'HEAD';
    if (schema?.body === undefined && isGiven(body)) return done(new AppError('invalid', NO_BODY));
    if (mayChange && schema?.querystring === undefined && Object.keys(query as object).length > 0)
      return done(new AppError('invalid', NO_QUERY));
    done();
  });
}

const NO_BODY = 'The body is not valid: this operation reads none. Leave it out.';
const NO_QUERY = 'The query is not valid: this operation reads none. Leave it out.';

/** A stream is a file, which its route reads while it arrives. */
function isGiven(body: unknown): boolean {
  if (body === undefined || body === null || isStream(body)) return false;
  return typeof body !== 'object' || Array.isArray(body) || Object.keys(body).length > 0;
}
