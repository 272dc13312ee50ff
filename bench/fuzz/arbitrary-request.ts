/**
 * Requests to every operation of an OpenAPI document. Most are meant: all of their values are what the document asks for,
 * so they come to what is behind the validation. The others are mostly that, with something else in any place.
 */
import fc from 'fast-check';
import { type JsonSchema, optionsOf } from '../../src/http/api-example.ts';
import type { KnownThings } from './known-things.ts';
import { meantValue } from './meant-value.ts';

export interface FuzzedRequest {
  /** As in the document. */
  readonly route: string;
  readonly method: string;
  /** With its query, encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
}

export interface FuzzedOperation {
  readonly method: string;
  readonly path: string;
  readonly parameters?:
    | readonly { in: string; name: string; required?: boolean; schema?: JsonSchema; example?: unknown }[]
    | undefined;
  readonly requestBody?:
    | { readonly content: Readonly<Record<string, { schema?: JsonSchema; example?: unknown }>> }
    | undefined;
}

const MEANT_SHARE = { meant: 4, odd: 1 };
const TEXT_CHARS_MAX = 300;
const DEPTH_MAX = 40;

export function arbitraryRequest(
  operations: readonly FuzzedOperation[],
  known: KnownThings = new Map(),
): fc.Arbitrary<FuzzedRequest> {
  return fc.oneof(
    { weight: MEANT_SHARE.meant, arbitrary: fc.oneof(...operations.map((one) => meantRequestTo(one, known))) },
    { weight: MEANT_SHARE.odd, arbitrary: fc.oneof(...operations.map(oddRequestTo)) },
  );
}

/** What is put into a request to an operation. */
interface Contents {
  readonly ids: Readonly<Record<string, string | undefined>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly strayQuery?: readonly [string, string] | undefined;
  readonly contentType: string;
  readonly body: string | Uint8Array | undefined;
}

function meantRequestTo(operation: FuzzedOperation, known: KnownThings): fc.Arbitrary<FuzzedRequest> {
  const { path, parameters = [] } = operation;
  const list = known.get(path.split('/{')[0] ?? '');
  const arbitraryFor = ({ in: place, name, schema = {}, example }: (typeof parameters)[number]) => {
    if (place === 'header') return meantHeader(name);
    const made = meantValue(schema, name, example).map(asText);
    const there = place === 'path' ? list?.ids : name === 'cursor' ? list?.cursors : [];
    return there === undefined || there.length === 0
      ? made
      : fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...there) }, { weight: 1, arbitrary: made });
  };
  const inPlace = (place: string) => {
    // A cursor that was never given out is refused, and made ones are among the odd requests.
    const those = parameters.filter(
      (one) => one.in === place && (one.name !== 'cursor' || (list?.cursors.length ?? 0) > 0),
    );
    const requiredKeys = those.filter(({ name, required }) => required === true || name === 'if-match');
    return fc.record(Object.fromEntries(those.map((one) => [one.name, arbitraryFor(one)])), {
      requiredKeys: requiredKeys.map(({ name }) => name),
    });
  };
  const [type, { schema = {}, example }] = bodyIn(operation);
  const body: fc.Arbitrary<string | undefined> =
    operation.requestBody === undefined
      ? fc.constant(undefined)
      : meantValue(schema, 'body', example).map(type.includes('json') ? (value) => JSON.stringify(value) : String);
  return fc
    .record({ ids: inPlace('path'), query: inPlace('query'), headers: inPlace('header'), body })
    .map((contents) => requestWith(operation, { ...contents, contentType: type }));
}

function oddRequestTo(operation: FuzzedOperation): fc.Arbitrary<FuzzedRequest> {
  const { parameters = [], requestBody } = operation;
  const inPlace = (place: string) =>
    fc.record(
      Object.fromEntries(
        parameters
          .filter((one) => one.in === place)
          .map(({ name, schema = {} }) => [name, place === 'header' ? headerFor(name) : parameterText(schema)]),
      ),
      { requiredKeys: place === 'path' ? undefined : [] },
    );
  const [type, { schema = {} }] = bodyIn(operation);
  return fc
    .record({
      ids: inPlace('path'),
      query: inPlace('query'),
      headers: inPlace('header'),
      strayQuery: rarely(fc.tuple(anyText, anyText)),
      contentType: fc.oneof(
        { weight: 40, arbitrary: fc.constant(type) },
        fc.constantFrom('text/plain', 'application/xml', 'application/json; charset=latin1', 'nonsense'),
      ),
      body: requestBody === undefined ? rarely(junkBody) : bodyOf(type, schema),
    })
    .map((contents) => requestWith(operation, contents));
}

function bodyIn({ requestBody }: FuzzedOperation): [type: string, { schema?: JsonSchema; example?: unknown }] {
  return Object.entries(requestBody?.content ?? {})[0] ?? ['application/json', {}];
}

function requestWith({ method, path }: FuzzedOperation, contents: Contents): FuzzedRequest {
  const { ids, query, headers, strayQuery, contentType, body } = contents;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encoded(ids[name] ?? '1'));
  const pairs = [...Object.entries(query), ...(strayQuery === undefined ? [] : [strayQuery])];
  const search = pairs.map(([name, value]) => `${encoded(name)}=${encoded(value ?? '')}`).join('&');
  return {
    route: `${method} ${path}`,
    method,
    path: search === '' ? filled : `${filled}?${search}`,
    headers: { ...defined(headers), ...(body === undefined ? {} : { 'content-type': contentType }) },
    body: method === 'GET' ? undefined : body,
  };
}

function bodyOf(type: string, schema: JsonSchema): fc.Arbitrary<string | Uint8Array | undefined> {
  const meant = type.includes('json')
    ? valueFor(schema).map((value) => JSON.stringify(value))
    : fc.oneof(
        fc.array(fc.tuple(anyText, anyText, anyText), { maxLength: 20 }).map((rows) => rows.join('\r\n')),
        fc.uint8Array({ maxLength: 2_000 }),
      );
  return fc.oneof({ weight: 8, arbitrary: meant }, { weight: 1, arbitrary: junkBody });
}

/** What the schema accepts, in most places. */
function valueFor(schema: JsonSchema): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 15, arbitrary: nearValue(schema) }, { weight: 1, arbitrary: anyValue });
}

function nearValue(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const options = optionsOf(schema);
  if (options !== undefined) return fc.oneof(...options.map(valueFor));
  switch (schema.type) {
    case 'object': {
      const fields = Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, valueFor(inner)] as const);
      const known = fc.record(Object.fromEntries(fields), { requiredKeys: [...(schema.required ?? [])] });
      const stray = rarely(fc.tuple(anyText, anyValue));
      return fc
        .tuple(known, stray)
        .map(([object, more]) => (more === undefined ? object : { ...object, [more[0]]: more[1] }));
    }
    case 'array':
      return fc.array(valueFor(schema.items ?? {}), { maxLength: 12 });
    case 'integer':
    case 'number':
      return fc.oneof(fc.integer({ min: 1, max: 50 }), fc.maxSafeInteger());
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
      return fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...((schema.examples ?? ['a text of some length']) as string[])) },
        { weight: 2, arbitrary: fc.lorem({ maxCount: 3 }) },
        { weight: 1, arbitrary: anyText },
      );
    default:
      return anyValue;
  }
}

/** Unpaired surrogates, NUL, control characters, other scripts, and what other parsers read as more than a text. */
const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: TEXT_CHARS_MAX, unit: 'binary' }),
  fc.string({ maxLength: TEXT_CHARS_MAX, unit: 'grapheme' }),
  fc.constantFrom(
    ...[
      '',
      ' ',
      '\0',
      'a\0b',
      '\ud800',
      '\u202e',
      '=1+1',
      "' or 1=1 --",
      '../../etc/passwd',
      '__proto__',
      'constructor',
    ],
    ...[
      '{{name}}',
      '%00',
      '1e309',
      'NaN',
      '-0',
      '9'.repeat(40),
      '2026-02-30',
      '0000-00-00',
      '* * * * *',
      'x'.repeat(3_000),
    ],
  ),
);

const anyValue: fc.Arbitrary<unknown> = fc.oneof(
  anyText,
  fc.constantFrom(null, true, 0, -1, 1.5, 2 ** 31, 2 ** 53, 1e308, [], {}),
  fc.jsonValue({ maxDepth: 4 }),
  fc.integer({ min: 1, max: DEPTH_MAX }).map((depth) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)),
);

/** Ids that exist, ids that do not, and what is not an id. */
function parameterText(schema: JsonSchema): fc.Arbitrary<string> {
  return fc.oneof(
    {
      weight: 7,
      arbitrary: nearValue(schema).map(asText),
    },
    { weight: 1, arbitrary: anyText },
  );
}

/** Mostly one with which the request goes on: else hardly any would come to what is behind it. */
function headerFor(name: string): fc.Arbitrary<string> {
  return fc.oneof({ weight: 7, arbitrary: meantHeader(name) }, { weight: 1, arbitrary: headerText });
}

function meantHeader(name: string): fc.Arbitrary<string> {
  return name === 'if-match' ? fc.constantFrom('*', '"1"') : fc.uuid();
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What a header can carry at all. */
const headerText = fc.oneof(
  fc.constantFrom('"1"', '"2"', 'W/"1"', '*', '"999999999999"', 'a-key', ''),
  fc.string({ maxLength: 40 }).map((text) => text.replace(/[^\x20-\x7e]/g, '').trim()),
);

const junkBody: fc.Arbitrary<string | Uint8Array | undefined> = fc.oneof(
  fc.constantFrom<string | undefined>(
    undefined,
    '',
    '{',
    'null',
    '[]',
    '"text"',
    '{"__proto__":{"a":1}}',
    '['.repeat(5_000),
  ),
  fc.uint8Array({ maxLength: 200 }),
  anyText,
);

function rarely<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { freq: 15, nil: undefined });
}

/** encodeURIComponent throws for an unpaired surrogate, which cannot be sent in an address. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function defined(record: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
