/**
 * The pages of web/, read once at start and kept in memory, plain and compressed (some hundred kB in total), so that no
 * request reads from disk. The same code serves the api (fastify) and the chat (node:http).
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { projectFile } from '../files.ts';
import { isAmong } from './entity-tags.ts';
import { problemPages } from './problem-pages.ts';
import { contentSecurityPolicy, SECURITY_HEADERS } from './security-headers.ts';

export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

export interface Pages {
  /** `path` as in web/, for example `/assets/style.css`; undefined when there is no such file. */
  answer(path: string, headers: IncomingHttpHeaders): PageAnswer | undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Files that pages load; the pages themselves have their own routes. */
export function isPageFile(path: string): boolean {
  return path === '/modules.js' || (/^\/(?:assets|modules)\//.test(path) && !path.endsWith('.html'));
}

interface Page {
  readonly type: string;
  readonly etag: string;
  readonly plain: Buffer;
  readonly gzip: Buffer;
}

/**
 * `modules` are the names in the order in which the dashboard shows them: /modules.js imports each module's index.js.
 */
export function loadPages(modules: readonly string[], connectTo: readonly string[] = []): Pages {
  const security = { ...SECURITY_HEADERS, 'content-security-policy': contentSecurityPolicy(connectTo) };
  const folder = projectFile('web');
  const pages = new Map<string, Page>();
  const add = (path: string, type: string, plain: Buffer) => {
    // Weak, because it is that of the compressed form as well.
    const etag = `W/"${createHash('sha1').update(plain).digest('base64url')}"`;
    pages.set(path, { type, etag, plain, gzip: gzipSync(plain) });
  };
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const file = join(entry.parentPath, entry.name);
    add(`/${relative(folder, file).split(sep).join('/')}`, type, readFileSync(file));
  }
  const withPages = modules.filter((name) => pages.has(`/modules/${name}/index.js`));
  add('/modules.js', TYPES['.js'] as string, Buffer.from(moduleList(withPages)));
  for (const [path, text] of problemPages()) add(path, TYPES['.html'] as string, Buffer.from(text));
  return {
    answer(path, headers) {
      const page = pages.get(path);
      if (page === undefined) return undefined;
      const common = { ...security, etag: page.etag, 'cache-control': 'no-cache', vary: 'accept-encoding' };
      if (isAmong(headers['if-none-match'], page.etag)) return { status: 304, headers: common, body: undefined };
      const zipped = acceptsGzip(headers['accept-encoding']);
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

/** Whether `Accept-Encoding` names it, or anything, without refusing it by `q=0`. */
function acceptsGzip(acceptEncoding: string | string[] = ''): boolean {
  const codings = new Map<string, boolean>();
  for (const one of String(acceptEncoding).toLowerCase().split(',')) {
    const [coding = '', ...parameters] = one.split(';').map((part) => part.trim());
    codings.set(coding, !parameters.some((parameter) => /^q\s*=\s*0(?:\.0*)?$/.test(parameter)));
  }
  return codings.get('gzip') ?? codings.get('*') ?? false;
}

/** The browser's side of the list in src/modules.ts. */
function moduleList(names: readonly string[]): string {
  const imports = names.map((name, nth) => `import * as module${nth} from '/modules/${name}/index.js';\n`);
  return `${imports.join('')}export const modules = [${names.map((_, nth) => `module${nth}`).join(', ')}];\n`;
}
