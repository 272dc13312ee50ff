/** JSON as a body: in UTF-8, and no deeper or longer than any operation needs. */
import { isUtf8 } from 'node:buffer';
import { MIMEType } from 'node:util';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';
import { JSON_DEPTH_MAX, JSON_ITEMS_MAX } from '../limits.ts';
import type { App } from './app.ts';

/** `onBytes`: for a route that needs the body as it was sent, too. */
export function readJsonBodies(app: App, onBytes?: (request: FastifyRequest, bytes: Buffer) => void): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    const body = bytes as Buffer;
    onBytes?.(request, body);
    // Some requests need no body, but many clients send a JSON content type anyway.
    if (body.length === 0) return done(null, undefined);
    const fault = faultOfText(request, body) ?? faultOfDepth(body);
    return fault === undefined ? parse(request, body.toString(), done) : done(fault);
  });
}

/**
 * Throws for a value that is nested too deep, has too many items, or an infinite number (JSON.parse makes one of
 * 1e309). Not recursive: it may be nested as deep as it is long.
 */
export function refuseExcess(value: unknown): void {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > JSON_DEPTH_MAX) throw tooDeep();
    const next: unknown[] = [];
    for (const one of level) {
      if (typeof one !== 'object' || one === null || ArrayBuffer.isView(one) || 'pipe' in one) continue;
      const items = Object.values(one);
      if (items.length > JSON_ITEMS_MAX)
        throw new AppError('invalid', `A list or an object in the body has more than ${JSON_ITEMS_MAX} items.`);
      for (const item of items) {
        if (typeof item === 'object' && item !== null) next.push(item);
        if (typeof item === 'number' && !Number.isFinite(item)) throw new AppError('invalid', 'A number is too large.');
      }
    }
    level = next;
  }
}

/** A character that was read in the wrong encoding cannot be told from one that was meant. */
function faultOfText(request: FastifyRequest, body: Buffer): AppError | undefined {
  const charset = charsetOf(request.headers['content-type']);
  if (charset !== undefined && !/^(?:utf-?8|us-ascii)$/i.test(charset))
    return new AppError('unsupported', `JSON is sent in UTF-8, not in ${charset}.`);
  return isUtf8(body) ? undefined : new AppError('invalid', 'The body is not UTF-8. Send JSON in UTF-8.');
}

/** By the brackets alone, before it is parsed: 128 kB of them make 65,536 arrays, and ten clients who send them take a core. */
function faultOfDepth(body: Buffer): AppError | undefined {
  let depth = -1;
  let isInText = false;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (byte === CODE['"']) isInText = !isInText;
    else if (isInText) at += byte === CODE['\\'] ? 1 : 0;
    else if (byte === CODE['['] || byte === CODE['{']) depth++;
    else if (byte === CODE[']'] || byte === CODE['}']) depth--;
    if (depth > JSON_DEPTH_MAX) return tooDeep();
  }
  return undefined;
}

const CODE = { '"': 0x22, '[': 0x5b, '\\': 0x5c, ']': 0x5d, '{': 0x7b, '}': 0x7d } as const;

function tooDeep(): AppError {
  return new AppError('invalid', `The body is nested deeper than ${JSON_DEPTH_MAX} levels.`);
}

function charsetOf(contentType = ''): string | undefined {
  try {
    return new MIMEType(contentType).params.get('charset') ?? undefined;
  } catch {
    return undefined; // the framework has judged the rest of it
  }
}
