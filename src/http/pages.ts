/**
 * The pages of web/, read once at start and kept, also compressed: together under 100 kB, so that no request touches
 * the disk, and the same few lines serve the api (fastify) and the chat (node:http).
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { projectFile } from '../files.ts';

export interface PageAnswer {
  readonly status: 200 | 304;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

export interface Pages {
  /** `path` as in web/, for example `/assets/style.css`; undefined when there is no such file. */
  answer(path: string, headers: IncomingHttpHeaders): PageAnswer | undefined;
}

export const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "img-src 'self' data:",
  "style-src 'self'",
  // The preview of a mail shows the mail, and mails are styled by attributes.
  "style-src-attr 'unsafe-inline'",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

export const SECURITY_HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer', // check-in links carry their token in the path
  'cross-origin-opener-policy': 'same-origin',
} as const;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

interface Page {
  readonly type: string;
  readonly etag: string;
  readonly plain: Buffer;
  readonly gzip: Buffer;
}

export function loadPages(): Pages {
  const folder = projectFile('web');
  const pages = new Map<string, Page>();
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const file = join(entry.parentPath, entry.name);
    const plain = readFileSync(file);
    const etag = `"${createHash('sha1').update(plain).digest('base64url')}"`;
    pages.set(`/${relative(folder, file).split(sep).join('/')}`, { type, etag, plain, gzip: gzipSync(plain) });
  }
  return {
    answer(path, headers) {
      const page = pages.get(path);
      if (page === undefined) return undefined;
      const common = { ...SECURITY_HEADERS, etag: page.etag, 'cache-control': 'no-cache', vary: 'accept-encoding' };
      if (headers['if-none-match'] === page.etag) return { status: 304, headers: common, body: undefined };
      const zipped = /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));
      const body = zipped ? page.gzip : page.plain;
      return {
        status: 200,
        headers: {
          ...common,
          'content-type': page.type,
          'content-length': String(body.length),
          ...(zipped ? { 'content-encoding': 'gzip' } : {}),
        },
        body,
      };
    },
  };
}
