/**
 * The mail catcher's web side: pages for people, JSON for tests.
 *
 *   GET /                the list, newest first    GET /api/mails?to=&subject=&before=&limit=
 *   GET /mail/<id>       one mail                  GET /api/mails/<id>
 *   GET /mail/<id>/raw   its source                GET /api/counts
 *   GET /mail/<id>/html  its HTML part             DELETE /api/mails
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import PostalMime, { type Email } from 'postal-mime';
import { MAIL_PAGE_ROWS, MAIL_PAGE_ROWS_MAX } from './limits.ts';
import { listPage, mailPage, REFRESH_SCRIPT, STYLE } from './mail-pages.ts';
import type { MailFilter, MailStore } from './mail-store.ts';

type Reply = { status?: number; type: string; body: string | Buffer; csp?: string };

/** For our own pages: nothing from other origins, nothing inline. */
const PAGE_CSP =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/** A mail's HTML is untrusted: no scripts, no requests; its links open in a new tab. */
const MAIL_CSP =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";

export function createMailWeb(store: MailStore): Server {
  return createServer((request, response) => {
    answer(store, request)
      .catch((error: unknown) => json({ error: String(error) }, 500))
      .then((reply) => send(response, reply));
  });
}

async function answer(store: MailStore, request: IncomingMessage): Promise<Reply> {
  // DNS rebinding: another site can point its own name at 127.0.0.1, but the Host header gives it away.
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(request.headers.host ?? '')) {
    return text('this page is only available from this machine', 403);
  }
  const url = new URL(request.url ?? '/', 'http://localhost');
  const route = `${request.method} ${url.pathname.replace(/\d+/, ':id')}`;
  switch (route) {
    case 'GET /':
      return page(listPage(store.list(filterOf(url)), store.accepted(), url));
    case 'GET /style.css':
      return { type: 'text/css; charset=utf-8', body: STYLE };
    case 'GET /refresh.js':
      return { type: 'text/javascript; charset=utf-8', body: REFRESH_SCRIPT };
    case 'GET /api/mails':
      return json(store.list(filterOf(url)));
    case 'GET /api/counts':
      return json(store.counts());
    case 'DELETE /api/mails':
      store.empty();
      return json(store.counts());
    case 'GET /healthz':
      return text('ok');
    case 'GET /mail/:id':
    case 'GET /mail/:id/raw':
    case 'GET /mail/:id/html':
    case 'GET /api/mails/:id':
      return answerOne(store, route, Number(/\d+/.exec(url.pathname)?.[0]));
    default:
      return json({ error: 'this page does not exist' }, 404);
  }
}

async function answerOne(store: MailStore, route: string, id: number): Promise<Reply> {
  const mail = store.find(id);
  if (mail === undefined) return json({ error: `mail ${id} does not exist, or has been dropped` }, 404);
  const raw = await store.read(mail);
  if (route === 'GET /mail/:id/raw') return text(raw);
  const email = await PostalMime.parse(raw);
  if (route === 'GET /mail/:id/html') {
    return { type: 'text/html; charset=utf-8', body: `<base target="_blank">${email.html ?? ''}`, csp: MAIL_CSP };
  }
  if (route === 'GET /mail/:id') return page(mailPage(mail, email));
  const { from, to, subject, messageId } = mail;
  return json({
    from,
    to,
    subject,
    messageId,
    headers: headersOf(email),
    text: email.text ?? '',
    html: email.html ?? '',
  });
}

/** Header names in lower case; the values of a repeated header are joined with a line break. */
function headersOf(email: Email): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const { key, value } of email.headers) headers[key] = key in headers ? `${headers[key]}\n${value}` : value;
  return headers;
}

function filterOf({ searchParams }: URL): MailFilter {
  const to = searchParams.get('to')?.trim();
  const subject = searchParams.get('subject')?.trim();
  const before = Number(searchParams.get('before'));
  const limit = Number(searchParams.get('limit'));
  return {
    ...(to ? { to } : {}),
    ...(subject ? { subject } : {}),
    ...(before > 0 ? { before } : {}),
    limit: limit >= 1 ? Math.min(Math.floor(limit), MAIL_PAGE_ROWS_MAX) : MAIL_PAGE_ROWS,
  };
}

function page(body: string): Reply {
  return { type: 'text/html; charset=utf-8', body, csp: PAGE_CSP };
}

function json(value: unknown, status = 200): Reply {
  return { status, type: 'application/json; charset=utf-8', body: JSON.stringify(value) };
}

function text(body: string | Buffer, status = 200): Reply {
  return { status, type: 'text/plain; charset=utf-8', body };
}

function send(response: ServerResponse, { status = 200, type, body, csp = "default-src 'none'" }: Reply): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'content-security-policy': csp,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  });
  response.end(body);
}
