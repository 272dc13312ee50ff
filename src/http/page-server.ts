import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { SOCKETS_MAX } from '../limits.ts';
import type { Health } from '../process/health-check.ts';
import { answerHealth } from '../process/health-endpoints.ts';
import { createHttpServer, isContinueWanted } from '../process/http-server.ts';
import type { Metrics } from '../process/metrics.ts';
import { pathOf } from '../process/request-path.ts';
import { isPageFile, type Pages } from './pages.ts';
import { DATA_SECURITY_HEADERS } from './security-headers.ts';

export interface PageServerParts {
  readonly pages: Pages;
  /** Maps a path prefix to the page that is served for it: `{ '/c/': '/modules/…/chat.html' }`. */
  readonly prefixes: Readonly<Record<string, string>>;
  /** By path: what answers a POST there. It reads and bounds the body itself. */
  readonly posts: Readonly<Record<string, (request: IncomingMessage) => Promise<PostAnswer>>>;
  readonly health: Health;
  readonly metrics: Metrics;
}

export interface PostAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * The HTTP side of a process that serves sockets: the pages that open them, their files, and the health probes. node:http
 * is enough here: a framework would cost 20 MB.
 */
export function createPageServer(parts: PageServerParts): Server {
  return createHttpServer(
    parts.health.stopping,
    (request, response) =>
      void respond(request, response, parts).catch(() => {
        if (response.headersSent) response.end();
        else send(response, 500, {}, undefined);
      }),
    { socketsMax: SOCKETS_MAX },
  );
}

async function respond(request: IncomingMessage, response: ServerResponse, parts: PageServerParts): Promise<void> {
  const { pages, prefixes, posts, health, metrics } = parts;
  const path = pathOf(request);
  const post = Object.hasOwn(posts, path) ? posts[path] : undefined;
  if (post !== undefined) {
    if (request.method !== 'POST') return send(response, 405, { allow: 'POST' }, undefined);
    if (isContinueWanted(request)) response.writeContinue();
    const { status, headers, body } = await post(request);
    return send(response, status, headers, body);
  }
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return send(response, 405, { allow: 'GET, HEAD' }, undefined);
  const healthAnswer = await answerHealth({ path, headers: request.headers }, health, metrics);
  if (healthAnswer !== undefined) {
    return send(
      response,
      healthAnswer.status,
      { 'content-type': healthAnswer.type, 'cache-control': 'no-store' },
      Buffer.from(healthAnswer.body),
    );
  }
  const prefix = Object.keys(prefixes).find((start) => path.startsWith(start));
  const page = prefix !== undefined ? (prefixes[prefix] as string) : isPageFile(path) ? path : NOT_FOUND;
  const answer = pages.answer(page, request.headers);
  if (answer === undefined) return send(response, 404, {}, undefined);
  send(
    response,
    page === NOT_FOUND ? 404 : answer.status,
    answer.headers,
    request.method === 'HEAD' ? undefined : answer.body,
  );
}

const NOT_FOUND = '/404.html';

/** What says nothing else is data; pages bring the headers of pages. */
function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer | undefined,
): void {
  response.writeHead(status, { ...DATA_SECURITY_HEADERS, ...headers });
  response.end(body);
}
