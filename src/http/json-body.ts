/** JSON as a body: in UTF-8, no deeper or longer than any operation needs, and with one meaning. */
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
    const fields = faultOfText(request, body) ?? countFields(body);
    if (fields instanceof AppError) return done(fields);
    return parse(request, body.toString(), (error, value) => done(error ?? faultOfValue(value, fields), value));
  });
}

/**
 * A list or an object with too many items, an infinite number (JSON.parse makes one of 1e309), or a field that was there
 * twice: JSON.parse keeps the last, and a proxy in front may have judged the first. `fields`: how many the text has.
 */
function faultOfValue(value: unknown, fields: number): AppError | null {
  let unseen = fields;
  const left = [value];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one === 'number' && !Number.isFinite(one)) return new AppError('invalid', 'A number is too large.');
    if (typeof one !== 'object' || one === null) continue;
    const items = Object.values(one);
    if (items.length > JSON_ITEMS_MAX)
      return new AppError('invalid', `A list or an object in the body has more than ${JSON_ITEMS_MAX} items.`);
    if (!Array.isArray(one)) unseen -= items.length;
    left.push(...items);
  }
  return unseen === 0 ? null : new AppError('invalid', 'The body has a field twice. Send each once.');
}

/** A character that was read in the wrong encoding cannot be told from one that was meant. */
function faultOfText(request: FastifyRequest, body: Buffer): AppError | undefined {
  const charset = charsetOf(request.headers['content-type']);
  if (charset !== undefined && !/^(?:utf-?8|us-ascii)$/i.test(charset))
    return new AppError('unsupported', `JSON is sent in UTF-8, not in ${charset}.`);
  return isUtf8(body) ? undefined : new AppError('invalid', 'The body is not UTF-8. Send JSON in UTF-8.');
}

/**
 * The fields of all objects, or what is wrong when they are nested too deep. By the signs alone, before it is parsed: 128 kB
 * of brackets make 65,536 arrays, and ten clients who send them take a core.
 */
function countFields(body: Buffer): number | AppError {
  let fields = 0;
  let depth = -1;
  let isInText = false;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (byte === CODE['"']) isInText = !isInText;
    else if (isInText) at += byte === CODE['\\'] ? 1 : 0;
    else if (byte === CODE['['] || byte === CODE['{']) depth++;
    else if (byte === CODE[']'] || byte === CODE['}']) depth--;
    else if (byte === CODE[':']) fields++;
    if (depth > JSON_DEPTH_MAX)
      return new AppError('invalid', `The body is nested deeper than ${JSON_DEPTH_MAX} levels.`);
  }
  return fields;
}

const CODE = { '"': 0x22, ':': 0x3a, '[': 0x5b, '\\': 0x5c, ']': 0x5d, '{': 0x7b, '}': 0x7d } as const;

function charsetOf(contentType = ''): string | undefined {
  try {
    return new MIMEType(contentType).params.get('charset') ?? undefined;
  } catch {
    return undefined; // the framework has judged the rest of it
  }
}
