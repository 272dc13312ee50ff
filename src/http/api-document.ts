/**
 * What the platform adds to the OpenAPI document of the routes: a name for each operation, the problems that it can be
 * answered with, the headers that it reads, and examples. All of it follows from what a route declares, so a new route
 * has it without a word of its own; what cannot be derived (a sign-in that is refused) is in its `config.problems`.
 */
import { STATUS_CODES } from 'node:http';
import type { FastifyContextConfig } from 'fastify';
import { ERROR_STATUS, type ErrorCode } from '../errors.ts';
import { ETAG_CHARS_MAX, IDEMPOTENCY_KEY_CHARS_MAX, RETRY_AFTER_SECONDS } from '../limits.ts';
import { exampleOf, type JsonSchema } from './api-example.ts';
import { scopeOf } from './api-keys.ts';
import { mustMatch } from './optimistic-concurrency.ts';
import { PROBLEM_TYPE } from './problem-details.ts';
import { PROBLEM_WORDS } from './problem-pages.ts';

export interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  components?: Record<string, object>;
  tags?: { name: string }[];
}

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly requestBody?: { readonly content: Record<string, Media> };
  responses: Record<string, Response>;
  readonly 'x-problems'?: readonly ErrorCode[];
}

interface Response {
  readonly $ref?: string;
  description?: string;
  readonly content?: Record<string, Media>;
}

interface Media {
  readonly schema?: JsonSchema;
  example?: unknown;
}

export interface DeclaredRoute {
  readonly method: string;
  /** From the root, parameters with a colon: `/api/v1/notes/:id`. */
  readonly url: string;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly config: FastifyContextConfig;
}

/** What an operation says, beyond its schema. */
export function describeRoute({ method, url, schema, config }: DeclaredRoute): Record<string, unknown> {
  const isOpen = config.public === true;
  return {
    ...schema,
    operationId: schema['operationId'] ?? operationIdOf(method, url),
    ...(isOpen ? { security: [] } : { 'x-scope': scopeOf(method, config) }),
    ...describeHeaders({ method, url, schema, config }),
    ...(config.role === undefined ? {} : { 'x-role': config.role }),
    ...(config.operator === true ? { 'x-operator': true } : {}),
    ...(config.forbids === undefined ? {} : { 'x-forbids': config.forbids, description: describe(schema, config) }),
    'x-problems': problemsOf({ method, url, schema, config }),
  };
}

/** Whether an Idempotency-Key makes a repetition of it safe: any POST, whoever sends it, but those that say otherwise. */
export function isIdempotent(method: string, config: FastifyContextConfig): boolean {
  return method === 'POST' && config.repeatable !== false;
}

/** Adds to the document what belongs to all operations. In place. */
export function completeDocument(document: Document): Document {
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  for (const operation of operations) {
    for (const [type, media] of Object.entries(operation.requestBody?.content ?? {})) addExample(type, media);
    for (const [status, response] of Object.entries(operation.responses)) {
      if (response.description === 'Default Response') response.description = STATUS_CODES[status] ?? 'An answer';
      for (const [type, media] of Object.entries(response.content ?? {})) addExample(type, media);
    }
    for (const code of operation['x-problems'] ?? [])
      operation.responses[ERROR_STATUS[code]] ??= { $ref: `#/components/responses/${ERROR_STATUS[code]}` };
  }
  const used = new Set(operations.flatMap((operation) => operation['x-problems'] ?? []));
  document.components = {
    ...document.components,
    schemas: { ...(document.components?.['schemas'] ?? {}), Problem },
    responses: problemResponses([...used]),
  };
  document.tags = [...new Set(operations.flatMap(({ tags }) => tags ?? []))].map((name) => ({ name }));
  return document;
}

/** `GET /api/v1/notes/:id` to `getNote`: readable, and the same for as long as the path is. */
export function operationIdOf(method: string, url: string): string {
  const parts = url.replace(/^\/api\/v1\//, '').split('/');
  const words = parts.map((part, at) =>
    part.startsWith(':') ? '' : inPascalCase(parts[at + 1]?.startsWith(':') ? part.replace(/s$/, '') : part),
  );
  return method.toLowerCase() + words.join('');
}

/** Every status that the platform itself can answer such a route with, and those that the route names. */
function problemsOf({ method, url, config }: DeclaredRoute): ErrorCode[] {
  const changes = method !== 'GET';
  const isOpen = config.public === true;
  const codes: (ErrorCode | false)[] = [
    'invalid',
    !isOpen && 'unauthenticated',
    (changes || (!isOpen && (config.role ?? config.operator ?? config.forbids ?? config.scope) !== undefined)) &&
      'forbidden',
    url.includes('/:') && 'not_found',
    changes && 'too_slow',
    changes && 'conflict',
    isIdempotent(method, config) && 'in_progress',
    changes && 'changed_meanwhile',
    changes && 'too_large',
    changes && 'unsupported',
    isIdempotent(method, config) && 'key_reused',
    config.thing !== undefined && mustMatch(method) && 'precondition_required',
    'rate_limited',
    'headers_too_large',
    'internal',
    'overloaded',
  ];
  return [...new Set([...codes.filter((code) => code !== false), ...(config.problems ?? [])])];
}

function describe({ description }: DeclaredRoute['schema'], { forbids }: FastifyContextConfig): string {
  return [description, `Refused with 403: ${forbids}.`].filter((part) => part !== undefined).join(' ');
}

/** Those that every operation of its kind reads, and the ETag that it answers with. */
function describeHeaders({ method, url, schema, config }: DeclaredRoute): Record<string, unknown> {
  const isThing = method === 'GET' && config.thing !== undefined && url.endsWith('/:id');
  const properties = {
    ...(method !== 'GET' && config.thing !== undefined ? { 'if-match': mustMatch(method) ? MustMatch : IfMatch } : {}),
    ...(isThing && config.thing?.coversAnswer === true ? { 'if-none-match': IfNoneMatch } : {}),
    ...(isIdempotent(method, config) ? { 'idempotency-key': IdempotencyKey } : {}),
  };
  if (Object.keys(properties).length === 0 && !isThing) return {};
  const given = (schema['headers'] ?? { type: 'object' }) as JsonSchema;
  const headers = { ...given, properties: { ...given.properties, ...properties } };
  return isThing ? { headers, response: withEtag(schema['response'], config) } : { headers };
}

function withEtag(response: unknown, { thing }: FastifyContextConfig): object {
  const { 200: good, ...others } = response as Record<string, object>;
  const unchanged = { type: 'null', description: 'Not Modified: it is as it was with the ETag in If-None-Match' };
  return {
    ...{ 200: { ...good, headers: { etag: ETag } }, ...others },
    ...(thing?.coversAnswer === true ? { 304: unchanged } : {}),
  };
}

const ETag = { type: 'string', description: 'of this version: a change sends it back as If-Match' };
const IfMatch: JsonSchema = {
  type: 'string',
  maxLength: ETAG_CHARS_MAX,
  description: 'The ETag of the version that you have seen, several, or *: with another one nothing is done',
};
const MustMatch: JsonSchema = {
  ...IfMatch,
  description: 'Required: the ETag of the version that you are changing, several, or *',
};
const IfNoneMatch: JsonSchema = { type: 'string', description: 'The ETag of the version that you have' };

const IdempotencyKey: JsonSchema = {
  type: 'string',
  minLength: 1,
  maxLength: IDEMPOTENCY_KEY_CHARS_MAX,
  description:
    'Makes it safe to send this again: a repetition with the same key is answered with the first answer, and nothing is done twice. For 24 hours',
  examples: ['5f0c1b1e-9a57-4a3e-8a0b-0d6c3f6f8d11'],
};

const Problem = {
  type: 'object',
  description: 'RFC 9457',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string', format: 'uri-reference', description: 'a page that says what to do about it' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'what is wrong with this request, for people' },
    code: { type: 'string', enum: Object.keys(ERROR_STATUS), description: 'the same for programs' },
    errors: {
      type: 'array',
      description: 'of `invalid`: the fields that are not valid',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

/** One for each status: it says all codes that it can have. */
function problemResponses(codes: readonly ErrorCode[]): Record<string, object> {
  const statuses = [...new Set(codes.map((code) => ERROR_STATUS[code]))];
  return Object.fromEntries(
    statuses.map((status) => {
      const own = codes.filter((code) => ERROR_STATUS[code] === status);
      const waits = own.some((code) => code === 'in_progress' || code === 'rate_limited' || code === 'overloaded');
      return [
        status,
        {
          description: own.map((code) => `\`${code}\`: ${PROBLEM_WORDS[code].means}`).join('\n\n'),
          ...(waits
            ? { headers: { 'retry-after': RetryAfter, ...(own.includes('rate_limited') ? RateLimits : {}) } }
            : {}),
          content: {
            [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' }, example: exampleProblem(own) },
          },
        },
      ];
    }),
  );
}

const RetryAfter = {
  description: 'the seconds to wait before the next try',
  schema: { type: 'integer' },
  example: RETRY_AFTER_SECONDS,
};

/** draft-ietf-httpapi-ratelimit-headers. Answers that are no refusals have them, too. */
const RateLimits = {
  'ratelimit-policy': {
    description: 'the limits that the request has counted for: how many (q) in how many seconds (w)',
    schema: { type: 'string' },
    example: '"requests";q=6000;w=60',
  },
  ratelimit: {
    description: 'what is left of each (r), and in how many seconds (t) it begins anew',
    schema: { type: 'string' },
    example: '"requests";r=0;t=12',
  },
};

function exampleProblem([code = 'internal']: readonly ErrorCode[]): object {
  const status = ERROR_STATUS[code];
  return { type: `/problems/${code}`, title: STATUS_CODES[status], status, detail: PROBLEM_WORDS[code].means, code };
}

const FILE = 'column,column\r\nvalue,value\r\n';

function addExample(type: string, media: Media): void {
  if (media.example !== undefined || media.schema === undefined) return;
  media.example = type.includes('json') ? exampleOf(media.schema) : FILE;
}

function inPascalCase(text: string): string {
  return text.replace(/(?:^|[-.])(\w)/g, (_, letter: string) => letter.toUpperCase());
}
