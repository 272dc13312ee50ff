import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  AnsweredBefore,
  type EarlierAnswer,
  type GuardedSession,
  guardCaller,
  guardSession,
  type KeptAnswer,
  keptAnswer,
  type RepeatableRequest,
} from '../db/idempotency-key.ts';
import type { Database } from '../db/read-write-split.ts';
import { requestHash } from '../db/sealed-answer.ts';
import { EVERY_ORGANISATION } from '../db/tenant-isolation.ts';
import { AppError } from '../errors.ts';
import {
  IDEMPOTENCY_KEY_CHARS_MAX,
  REPEATABLE_REQUESTS_MAX,
  REPEATABLE_REQUESTS_MS,
  REPEATABLE_REQUESTS_OF_STRANGERS_PER_MINUTE_MAX,
} from '../limits.ts';
import { isIdempotent } from './api-document.ts';
import type { App } from './app.ts';
import { sendProblem } from './problem-details.ts';
import type { CreateRateLimit } from './rate-limit.ts';
import { isStream } from './slow-client.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of a POST with an Idempotency-Key. `earlier`: what a request with its key was answered, by now. */
    guarded: (Pick<GuardedSession, 'answered'> & { earlier(): Promise<EarlierAnswer | undefined> }) | undefined;
  }
}

/** Says that the answer was kept from an earlier request (Stripe's name for it). */
const REPLAYED = 'idempotent-replayed';
const KEPT_HEADERS = ['content-type', 'etag', 'location'];

/** Commits what a request with an Idempotency-Key wrote, before its answer is sent. Register it before all other hooks of that kind. */
export function commitBeforeAnswers(app: App): void {
  app.decorateRequest('guarded', undefined);
  app.addHook('onSend', (request, reply, payload, done) => {
    const { guarded } = request;
    if (guarded === undefined) return done();
    request.guarded = undefined; // an error below is answered as well, and has nothing to commit
    const ended = guarded.answered(reply.statusCode < 400 ? answerOf(reply, payload) : undefined);
    if (request.isTooLate) return done(); // its client has waited for long enough, and nothing is committed
    ended.then(
      () => done(),
      (error) => {
        reply.removeHeader('set-cookie'); // of a session that was rolled back
        done(error);
      },
    );
  });
}

/** Gives every POST with an Idempotency-Key an access to the database that commits together with the answer. */
export function guardRepeatedRequests(
  api: App,
  {
    database,
    secretKey,
    createRateLimit,
  }: {
    database: Pick<Database, 'primary'>;
    secretKey: string;
    createRateLimit: CreateRateLimit;
  },
): void {
  const ofOrganisations = createRateLimit(
    'requests with an Idempotency-Key',
    REPEATABLE_REQUESTS_MAX,
    REPEATABLE_REQUESTS_MS,
  );
  const ofStrangers = createRateLimit('repeatable requests', REPEATABLE_REQUESTS_OF_STRANGERS_PER_MINUTE_MAX);

  api.addHook('preHandler', (request, reply, done) => {
    const key = request.headers['idempotency-key'];
    if (key === undefined || !isIdempotent(request.method, request.routeOptions.config)) return done();
    guard(request, reply, String(key)).then((isFirst) => isFirst && done(), done);
  });

  /** Whether it is the first. Otherwise it gets the first one's answer. */
  async function guard(request: FastifyRequest, reply: FastifyReply, key: string): Promise<boolean> {
    const repeatable = repeatableRequest(request, key, secretKey);
    const kept = request.routeOptions.config.judgesFirst ? undefined : await answerBefore(request, reply, repeatable);
    if (kept !== undefined) {
      replay(kept, request, reply);
      return false;
    }
    const judgesFirst = request.routeOptions.config.judgesFirst === true;
    const earlier = async () => (judgesFirst ? undefined : find(repeatable));
    if (repeatable.orgId === undefined) {
      const { caller, answered } = guardCaller(request.caller, repeatable);
      request.guarded = { answered, earlier };
      request.caller = caller;
    } else {
      const { session, answered } = guardSession(request.db, repeatable);
      const organisation = String(repeatable.orgId);
      await ofOrganisations.count(organisation, reply);
      request.guarded = {
        earlier,
        async answered(answer) {
          const isKept = await answered(answer);
          if (!isKept) ofOrganisations.refund(organisation); // it has no row
          return isKept;
        },
      };
      request.db = session;
    }
    return true;
  }

  async function answerBefore({ network }: FastifyRequest, reply: FastifyReply, repeatable: RepeatableRequest) {
    if (repeatable.orgId === undefined) await ofStrangers.count(network, reply); // it costs a query
    return find(repeatable);
  }

  function find(repeatable: RepeatableRequest) {
    return keptAnswer(database.primary(repeatable.orgId ?? EVERY_ORGANISATION), repeatable);
  }
}

/**
 * For the error handler: another request with the same key was answered while this one was on its way. It may be the very
 * reason of the error: a link that is good once is no longer good when the first one has used it. Otherwise, `sendError`.
 */
export function replayOr(
  sendError: () => FastifyReply,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply | Promise<FastifyReply> {
  const { guarded, isTooLate } = request;
  if (error instanceof AnsweredBefore) {
    request.guarded = undefined;
    return replay(error.answer, request, reply);
  }
  // Not where the database is away: it would be waited for a second time.
  const isRefusal = error instanceof AppError && error.code !== 'overloaded';
  if (guarded === undefined || isTooLate || !isRefusal) return sendError();
  return guarded
    .earlier()
    .catch(() => undefined)
    .then(async (answer) => {
      if (answer === undefined) return sendError();
      request.guarded = undefined;
      await guarded.answered(undefined); // nothing of this one is to be committed
      return replay(answer, request, reply);
    });
}

function replay(
  { status, headers, cookies, body, position }: EarlierAnswer,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  request.caller.wrote(position);
  // Not thrown: this can be in the error handler, whose own errors nobody turns into a problem document.
  if (body === undefined) return sendProblem(NOT_KEPT, request, reply);
  if (cookies.length > 0) reply.header('set-cookie', [...cookies]);
  return reply
    .code(status)
    .headers(headers)
    .header(REPLAYED, 'true')
    .send(body.length === 0 ? undefined : body);
}

function repeatableRequest(request: FastifyRequest, key: string, secretKey: string): RepeatableRequest {
  if (!/^[\x21-\x7e]+$/.test(key) || key.length > IDEMPOTENCY_KEY_CHARS_MAX)
    throw new AppError(
      'invalid',
      `An Idempotency-Key has 1 to ${IDEMPOTENCY_KEY_CHARS_MAX} letters, digits and signs; a UUID is a good one.`,
    );
  const { body, user } = request;
  if (isStream(body)) throw new AppError('invalid', 'This is read while it arrives: leave the Idempotency-Key out.');
  // The bytes of a file mean what its type says, such as its charset. JSON has been read already.
  const sent = Buffer.isBuffer(body)
    ? [String(request.headers['content-type']), body]
    : [JSON.stringify(body, inOrder) ?? ''];
  const given = { parameters: [request.method, request.url, ...sent], secretKey };
  // Strangers may choose the same key: it belongs to the request as it was sent, which nobody else can send. With a new
  // SECRET_KEY it is another one, but then the links are void that such requests are sent with.
  if (request.routeOptions.config.public === true)
    return { ...given, orgId: undefined, caller: STRANGER, key: `${key} ${requestHash(given).toString('base64')}` };
  const { orgId, userId, apiKey } = user;
  const caller = apiKey === undefined ? `user ${userId}` : `key ${apiKey.prefix}`;
  return { ...given, orgId, caller, key };
}

const STRANGER = 'stranger';
const NOT_KEPT = new AppError('conflict', 'This was done before, and its answer was not kept. Read what it changed.');

/** Fields have no order: a client whose language writes them as it comes sends the same request again. */
function inOrder(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function answerOf(reply: FastifyReply, payload: unknown): KeptAnswer {
  const headers = KEPT_HEADERS.flatMap((name) => {
    const value = reply.getHeader(name);
    return value === undefined ? [] : [[name, String(value)] as const];
  });
  const cookies = [reply.getHeader('set-cookie') ?? []].flat().map(String);
  return { status: reply.statusCode, headers: Object.fromEntries(headers), cookies, body: bytesOf(payload) };
}

/** Undefined for a stream, which is not kept. */
function bytesOf(payload: unknown): Buffer | undefined {
  if (payload === undefined || payload === null) return Buffer.alloc(0);
  return typeof payload === 'string' || Buffer.isBuffer(payload) ? Buffer.from(payload as string) : undefined;
}
