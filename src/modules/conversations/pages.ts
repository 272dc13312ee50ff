import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Pages, SECURITY_HEADERS } from '../../http/pages.ts';
import { HEADERS_MS, HTTP_CONNECTIONS_MAX, KEEP_ALIVE_MS, REQUEST_MS, SOCKETS_MAX } from '../../limits.ts';
import type { Health } from '../../process/health-check.ts';
import { answerHealth } from '../../process/health-endpoints.ts';
import type { Metrics } from '../../process/metrics.ts';

/** The HTTP side of the chat: the page behind every check-in link, its files, and the health probes. node:http is enough. */
export function createChatPages(pages: Pages, health: Health, metrics: Metrics): Server {
  const server = createServer(
    { requestTimeout: REQUEST_MS, headersTimeout: HEADERS_MS, keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) =>
      void respond(request, response, pages, health, metrics).catch(() => {
        if (!response.headersSent) response.writeHead(500);
        response.end();
      }),
  );
  server.maxConnections = SOCKETS_MAX + HTTP_CONNECTIONS_MAX;
  return server;
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  pages: Pages,
  health: Health,
  metrics: Metrics,
): Promise<void> {
  const path = (request.url ?? '/').split('?')[0] as string;
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
  const page = path.startsWith('/c/') ? '/chat.html' : /^\/(chat|assets)\//.test(path) ? path : '/404.html';
  const answer = pages.answer(page, request.headers);
  if (answer === undefined) return send(response, 404, SECURITY_HEADERS, undefined);
  send(
    response,
    page === '/404.html' ? 404 : answer.status,
    answer.headers,
    request.method === 'HEAD' ? undefined : answer.body,
  );
}

function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer | undefined,
): void {
  response.writeHead(status, headers);
  response.end(body);
}
