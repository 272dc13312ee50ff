import type { IncomingMessage } from 'node:http';
import cookie from '@fastify/cookie';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify';
import { Type } from 'typebox';
import type { Config } from '../config.ts';
import type { Database } from '../db/read-write-split.ts';
import { AppError } from '../errors.ts';
import { BODY_BYTES_MAX, NAME_CHARS_MAX, UPLOAD_MS } from '../limits.ts';
import type { Log } from '../log.ts';
import { clientAddress, networkOf } from '../process/client-address.ts';
import type { Health } from '../process/health-check.ts';
import { answerHealth, HEALTH_PATHS } from '../process/health-endpoints.ts';
import { createHttpServer } from '../process/http-server.ts';
import type { Metrics } from '../process/metrics.ts';
import { pathOf } from '../process/request-path.ts';
import { beginSpan, isMeasuring, type SpanStart, withinTrace } from '../trace.ts';
import type { App } from './app.ts';
import { authenticate, type Credentials, organisationOf, tokenOf } from './authentication.ts';
import { endOldConnections } from './connection-age.ts';
import { refuseCodedBodies } from './content-coding.ts';
import { hasOneHost } from './host-header.ts';
import { commitBeforeAnswers, guardRepeatedRequests, replayOr } from './idempotency.ts';
import { ONE_LINE, tidyIncomingText } from './incoming-text.ts';
import { readJsonBodies } from './json-body.ts';
import { createAdmission } from './load-shedding.ts';
import { checkPreconditions } from './optimistic-concurrency.ts';
import { isPageFile, type PageAnswer, type Pages } from './pages.ts';
import { createRefusals, sendProblem } from './problem-details.ts';
import { problemPage } from './problem-pages.ts';
import type { CreateRateLimit } from './rate-limit.ts';
import { readOwnWrites } from './read-own-writes.ts';
import { createRefusedBodies } from './refused-bodies.ts';
import { createRequestMetrics } from './request-metrics.ts';
import { endOfAnswer, limitTime } from './request-time.ts';
import { DATA_SECURITY_HEADERS, SECURITY_HEADERS } from './security-headers.ts';
import { limitSlowBodies } from './slow-client.ts';
import { refuseUnreadInput } from './unread-input.ts';
import { createRawRefusals } from './unreadable-request.ts';
import { readUrlValues } from './url-values.ts';

export interface ServerParts {
  readonly config: Config;
  readonly log: Log;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly database: Database;
  readonly pages: Pages;
  readonly credentials: Credentials;
}

/** Creates the server; modules then add their routes under /api, and the worker calls listen. */
export async function createServer(parts: ServerParts): Promise<App> {
  const hsts: Readonly<Record<string, string>> = parts.config.apiUrl.startsWith('https:')
    ? { 'strict-transport-security': 'max-age=31536000' }
    : {};
  const pageHeaders = { ...SECURITY_HEADERS, ...hsts };
  const apiHeaders = { ...DATA_SECURITY_HEADERS, ...hsts };
  // By its route, because a path can be written in several ways; one that cannot be decoded has none.
  const headersOf = ({ routeOptions, url }: FastifyRequest) =>
    (routeOptions.url ?? url).startsWith('/api/') ? apiHeaders : pageHeaders;
  const network = (request: IncomingMessage) => networkOf(clientAddress(request, parts.config.trustProxyHops));
  const { refuseTunnels, refuseUnreadable } = createRawRefusals(hsts);
  const requests = createRequestMetrics(parts.metrics);
  const createRefusal = createRefusals(hsts, requests);
  const admission = createAdmission({
    ...{ createRefusal, metrics: parts.metrics, log: parts.log, networkOf: network },
    organisationOf(request) {
      const token = tokenOf(request);
      return token === undefined ? undefined : organisationOf(parts.credentials, token);
    },
  });
  const slowDownRefused = createRefusedBodies({ ...admission, createRefusal, metrics: parts.metrics });
  const app = fastify({
    loggerInstance: parts.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }), // a log line per request costs more than most requests
    childLoggerFactory: (logger) => logger, // a child of each request would parse what it redacts again
    trustProxy: (_address, hop) => hop < parts.config.trustProxyHops,
    bodyLimit: BODY_BYTES_MAX,
    // Node's timer does not know routes; their own limits are in src/http/request-time.ts and src/http/slow-client.ts.
    serverFactory: (answer) => {
      const guarded = slowDownRefused(admission.guard(answer));
      const server = createHttpServer(parts.health.stopping, guarded, { requestMs: UPLOAD_MS });
      endOldConnections(server);
      refuseTunnels(server);
      return server;
    },
    routerOptions: { maxParamLength: 200 },
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (error, request, reply) => refuse(error, request, reply.headers(headersOf(request))), // URLs that cannot be decoded never reach a route and its error handler
    serializerOpts: { objectMechanism: 'native' }, // JSON.stringify of what the schema names: 35 kB less garbage for a page of 50 rows
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: false, keywords: [ONE_LINE] } },
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.removeContentTypeParser('text/plain'); // no route but those that add it themselves reads any
  readJsonBodies(app as App);
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const sendError = error.validationContext === 'params' ? refuse : sendProblem;
    return replayOr(() => sendError(error, request, reply), error, request, reply);
  });
  /** Of an address that is none: people get a page, such as those whose mail program broke a link. */
  function refuse(error: FastifyError | AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const page = isForPeople(request) ? parts.pages.answer('/404.html', request.headers) : undefined;
    if (page?.body !== undefined) return reply.code(404).headers(page.headers).send(page.body);
    return sendProblem(error, request, reply);
  }
  const answerNotFound = (request: FastifyRequest, reply: FastifyReply) =>
    refuse(
      new AppError('not_found', `There is nothing at ${request.method} ${request.url.split('?')[0]}.`),
      request,
      reply,
    );
  app.setNotFoundHandler(answerNotFound);
  requests.measure(app as App);
  limitTime(app as App);
  app.decorate('recognise', admission.recognise);
  app.decorateRequest('network', {
    getter() {
      return network(this.raw);
    },
  });
  app.decorateRequest('span', null);
  // Twice, because a body that arrives later is read outside of the first.
  app.addHook('onRequest', runInTrace);
  app.addHook('preValidation', runInTrace);
  app.addHook('onResponse', endSpan);
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(headersOf(request));
    if (!hasOneHost(request.raw)) return done(new AppError('invalid', 'The request must have one valid Host header.'));
    if (!request.is404) return done();
    answerNotFound(request, reply); // at once: nobody wants the body
  });
  await app.register(cookie);
  commitBeforeAnswers(app as App);
  readOwnWrites(app, parts.database);
  endOfAnswer(app as App);
  refuseCodedBodies(app);
  limitSlowBodies(app, parts.metrics, admission);
  admission.watch(app);
  for (const path of HEALTH_PATHS) {
    app.get(path, async (request, reply) => {
      const answer = await answerHealth({ path, headers: request.headers }, parts.health, parts.metrics);
      if (answer === undefined)
        throw new AppError('not_found', 'Metrics are only available to direct requests, not through a proxy.');
      return reply.code(answer.status).type(answer.type).header('cache-control', 'no-store').send(answer.body);
    });
  }
  return app;
}

/** The dashboard at / and its files, and the pages that problem documents lead to. */
export function mountPages(app: App, pages: Pages): void {
  app.get('/', async (request, reply) => sendPage(reply, pages.answer('/index.html', request.headers)));
  for (const path of ['/assets/*', '/modules/*', '/modules.js']) {
    app.get(path, async (request, reply) => {
      const file = pathOf(request.raw);
      return sendPage(reply, isPageFile(file) ? pages.answer(file, request.headers) : undefined);
    });
  }
  app.get('/problems/:code', { schema: { params: ProblemParams } }, async ({ params, headers }, reply) =>
    sendPage(reply, pages.answer(problemPage(params.code), headers)),
  );
}

const ProblemParams = Type.Object({ code: Type.String({ maxLength: NAME_CHARS_MAX }) });

/** Sends the framework's 404 if `answer` is undefined. */
export function sendPage(reply: FastifyReply, answer: PageAnswer | undefined): FastifyReply {
  if (answer === undefined) {
    reply.callNotFound();
    return reply;
  }
  return reply.code(answer.status).headers(answer.headers).send(answer.body);
}

export interface ApiParts {
  readonly credentials: Credentials;
  readonly config: Config;
  readonly createRateLimit: CreateRateLimit;
  readonly database: Pick<Database, 'primary'>;
}

/**
 * Everything under /api: requires a signed-in user unless public, is never cached, and refuses changes from other
 * sites.
 */
export async function mountApi(
  app: App,
  { credentials, config, createRateLimit, database }: ApiParts,
  mount: (api: App) => void,
): Promise<void> {
  await app.register(
    async (api) => {
      authenticate(api as App, credentials, { ...config, createRateLimit });
      refuseUnreadInput(api);
      tidyIncomingText(api);
      readUrlValues(api);
      guardRepeatedRequests(api as App, { database, createRateLimit, secretKey: config.secretKey });
      checkPreconditions(api as App);
      api.addHook('onSend', (_request, reply, _payload, done) => {
        if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
        done();
      });
      mount(api as App);
    },
    { prefix: '/api/v1' },
  );
}

function runInTrace(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  const given = request.headers['traceparent'] as string | undefined;
  if (request.span === null && isMeasuring() && !isProbe(request))
    request.span = withinTrace(given, () => beginSpan(spanOf(request))) ?? null;
  withinTrace(request.span?.traceparent ?? given, done);
}

function isProbe({ routeOptions }: FastifyRequest): boolean {
  return HEALTH_PATHS.some((path) => path === routeOptions.url);
}

/** By its route: an address can hold the token of a link. */
function spanOf({ method, routeOptions: { url = 'nothing' } }: FastifyRequest): SpanStart {
  return {
    name: `${method} ${url}`,
    kind: 'server',
    attributes: { 'http.request.method': method, 'http.route': url },
  };
}

function endSpan({ span }: FastifyRequest, { statusCode }: FastifyReply, done: () => void): void {
  const attributes = { 'http.response.status_code': statusCode };
  span?.end(statusCode < 500 ? { attributes } : { attributes, error: statusCode });
  done();
}

/** A browser that navigates to a page, as opposed to a program that calls the API. */
function isForPeople(request: FastifyRequest): boolean {
  const isPage = /^(?:GET|HEAD)$/.test(request.method) && !pathOf(request.raw).startsWith('/api/v1/');
  return isPage && String(request.headers.accept ?? '').includes('text/html');
}
