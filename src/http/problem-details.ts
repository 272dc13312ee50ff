import { type OutgoingHttpHeaders, type ServerResponse, STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { isServerAway } from '../db/deadlock-retry.ts';
import { AppError, ERROR_STATUS, type ErrorCode, type FieldError, SQLSTATE, sqlState } from '../errors.ts';
import { RETRY_AFTER_JITTER_SECONDS, RETRY_AFTER_SECONDS } from '../limits.ts';
import type { RequestMetrics } from './request-metrics.ts';
import { DATA_SECURITY_HEADERS } from './security-headers.ts';

export const PROBLEM_TYPE = 'application/problem+json';

/** What every problem document is sent with, wherever it is made, whatever the path: it is data, and true only now. */
export const PROBLEM_HEADERS = {
  ...DATA_SECURITY_HEADERS,
  'content-type': PROBLEM_TYPE,
  'cache-control': 'no-store',
} as const;

/** RFC 9457: what went wrong, in a form that both programs and people can read. Its pages: problem-pages.ts. */
export interface ProblemDetails {
  /** The address of the page that says what to do about it, from the root of this server. */
  readonly type: `/problems/${ErrorCode}`;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly errors?: readonly FieldError[];
}

/**
 * The one place where an error becomes a response. Unexpected errors are logged in full and reported in general terms.
 */
export function sendProblem(
  error: FastifyError | AppError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const problem = toProblem(error, request.routeOptions.bodyLimit);
  const about = { err: error, route: request.routeOptions.url };
  if (problem.code === 'internal' || whyBusy(error) !== undefined) request.log.error(about, 'request failed');
  if (isServerAway(error)) request.log.warn(about, 'the database is unavailable');
  const seconds = error instanceof AppError ? error.retryAfterSeconds : undefined;
  if (seconds !== undefined || problem.code === 'overloaded')
    reply.header('retry-after', retryAfter(seconds ?? RETRY_AFTER_SECONDS));
  return reply.code(problem.status).headers(PROBLEM_HEADERS).send(JSON.stringify(problem));
}

/** Makes what answers in front of the framework, with a few precomputed bytes. */
export type CreateRefusal = (error: AppError) => (response: Pick<ServerResponse, 'writeHead' | 'req'>) => void;

/** `headers`: those that every response has. */
export function createRefusals(headers: OutgoingHttpHeaders, { count }: Pick<RequestMetrics, 'count'>): CreateRefusal {
  return (error) => {
    const { retryAfterSeconds = RETRY_AFTER_SECONDS } = error;
    const problem = toProblem(error);
    const body = Buffer.from(JSON.stringify(problem));
    const head = { ...headers, ...PROBLEM_HEADERS, 'content-length': body.length };
    return (response) => {
      count(response.req.method, problem.status);
      response.writeHead(problem.status, { ...head, 'retry-after': retryAfter(retryAfterSeconds) }).end(body);
    };
  };
}

/** Clients that are refused together must not come back together: up to RETRY_AFTER_JITTER_SECONDS are added at random. */
export function retryAfter(seconds: number): string {
  return String(seconds + Math.floor(Math.random() * (RETRY_AFTER_JITTER_SECONDS + 1)));
}

/** `bodyBytesMax`: of the route that it happened in. */
export function toProblem(error: FastifyError | AppError, bodyBytesMax?: number): ProblemDetails {
  if (error instanceof AppError)
    return { ...problem(error.code, error.message), ...(error.errors && { errors: error.errors }) };
  if ('validation' in error && error.validation !== undefined) {
    const where = error.validationContext ?? 'body';
    const faults = choicesAsOne(error.validation);
    const said = faults.map(({ instancePath, message }) => `${where}${instancePath} ${message}`).join(', ');
    return {
      ...problem('invalid', `The ${INVALID[where] ?? INVALID['body']} not valid: ${said}`),
      errors: faults.map((fault) => ({
        path: `${where}${fault.instancePath}${fieldOf(fault.params)}`,
        message: fault.message ?? 'is not valid',
      })),
    };
  }
  if (isServerAway(error)) return problem('overloaded', 'The database is away for a moment. Try again.');
  const busy = whyBusy(error);
  if (busy !== undefined) return problem('overloaded', busy);
  // Of what did not come as JSON or in a query, whose texts are looked through (src/http/incoming-text.ts).
  if (NOT_STORABLE.includes(sqlState(error) ?? '')) return problem('invalid', NUL_IN_TEXT);
  // Errors of the framework itself: a body that is not JSON, too large, of an unsupported type, or too slow.
  const status = 'statusCode' in error ? (error.statusCode ?? 500) : 500;
  if (status === 408) return problem('too_slow', 'The request took too long to arrive.');
  if (status === 413 && bodyBytesMax !== undefined)
    return problem(
      'too_large',
      `The body is larger than ${bodyBytesMax / 1024} kB, which is the most that is read here.`,
    );
  if (status === 503) return problem('overloaded', TOO_LONG);
  if (status === 415)
    return problem('unsupported', 'A body with this Content-Type is not read here. JSON is sent as application/json.');
  const code = (Object.keys(ERROR_STATUS) as ErrorCode[]).find((candidate) => ERROR_STATUS[candidate] === status);
  if (status >= 500) return problem('internal', 'Something went wrong on our side. It has been noted.');
  return problem(code ?? 'invalid', error.message);
}

/** What PostgreSQL cannot do now, and probably can later; undefined for any other error. Nothing was stored. */
function whyBusy(error: unknown): string | undefined {
  const state = sqlState(error) ?? '';
  if (state === SQLSTATE.queryCanceled) return TOO_LONG;
  if (TAKEN.includes(state)) return 'Others are changing the same data. Try again in a moment.';
  // Connections, memory, disk.
  return state.startsWith('53') ? 'The database has no room for this now. Try again later.' : undefined;
}

export const NUL_IN_TEXT = 'A text field contains a NUL character, which cannot be stored. Remove it.';

const TOO_LONG = 'This took too long. Try again in a moment.';

const TAKEN: readonly string[] = [SQLSTATE.lockNotAvailable, SQLSTATE.serializationFailure, SQLSTATE.deadlockDetected];

const NOT_STORABLE: readonly string[] = [SQLSTATE.characterNotInRepertoire, SQLSTATE.untranslatableCharacter];

const INVALID: Readonly<Record<string, string>> = {
  body: 'body is',
  querystring: 'query is',
  params: 'path is',
  headers: 'headers are',
};

type Fault = NonNullable<FastifyError['validation']>[number];

/** Of a choice of values Ajv says one by one that it was not this, and last that it was none: one sentence says it all. */
function choicesAsOne(faults: readonly Fault[]): Fault[] {
  const values = faults.flatMap(({ keyword, params }) => (keyword === 'const' ? [params['allowedValue']] : []));
  const [first] = faults;
  if (first === undefined || values.length === 0 || values.length < faults.length - 1) return [...faults];
  const choices = values.map((value) => JSON.stringify(value)).join(', ');
  return [{ ...first, message: `must be ${values.length === 1 ? '' : 'one of '}${choices}` }];
}

/** Ajv reports a missing or unknown field at the object around it. */
function fieldOf(params: Record<string, unknown>): string {
  const field = params['missingProperty'] ?? params['additionalProperty'];
  return field === undefined ? '' : `/${field}`;
}

function problem(code: ErrorCode, detail: string): ProblemDetails {
  const status = ERROR_STATUS[code];
  return { type: `/problems/${code}`, title: STATUS_CODES[status] ?? '', status, detail, code };
}
