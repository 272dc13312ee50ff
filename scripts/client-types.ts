/**
 * TypeScript types from the part of OpenAPI 3.1 that our routes use. openapi-typescript would be the usual tool, but up
 * to 7.13 it writes through the API of TypeScript 5: TypeScript 7 has another one, and npm installs only one of them
 * beside its peers. The shape is its own, so openapi-fetch reads it, and it can take this file's place.
 */
import { type JsonSchema, optionsOf } from '../src/http/api-example.ts';

export interface DescribedOperation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { in: string; name: string; required?: boolean; schema: JsonSchema }[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Record<string, { schema?: JsonSchema }> };
  readonly responses: Record<string, { readonly $ref?: string; content?: Record<string, { schema?: JsonSchema }> }>;
}

export type DescribedPaths = Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;

/** The members of the interface `Paths`. */
export function pathTypes(paths: DescribedPaths): string {
  return Object.entries(paths)
    .map(([path, methods]) => {
      const operations = Object.entries(methods).map(
        ([method, operation]) => `/** ${operation.summary} */\n${method}: ${operationType(operation)};`,
      );
      return `'${path}': {\n${operations.join('\n')}\n};`;
    })
    .join('\n');
}

function operationType({ parameters = [], requestBody, responses }: DescribedOperation): string {
  const places = (['query', 'header', 'path'] as const).flatMap((place) => {
    const own = parameters.filter((one) => one.in === place);
    if (own.length === 0) return [];
    const isOptional = own.every(({ required }) => required !== true);
    const fields = own.map(({ name, required, schema }) => field(name, schema, required === true));
    return [`${place}${isOptional ? '?' : ''}: { ${fields.join(' ')} };`];
  });
  const body = requestBody === undefined ? '' : `requestBody: { content: ${contentType(requestBody.content)} };`;
  const good = Object.entries(responses).filter(([, { $ref }]) => $ref === undefined);
  const problems = Object.keys(responses).filter((status) => responses[status]?.$ref !== undefined);
  const answers = good.map(
    ([status, { content }]) =>
      `${status}: ${content === undefined ? '{ content?: never }' : `{ content: ${contentType(content)} }`};`,
  );
  const parts = places.length === 0 ? '' : `parameters: { ${places.join(' ')} };`;
  return `{ ${parts} ${body} responses: { ${answers.join(' ')} } & Problems<${problems.join(' | ')}> }`;
}

/** What is not JSON is sent and read as it is. */
function contentType(content: Record<string, { schema?: JsonSchema }>): string {
  const types = Object.entries(content).map(
    ([type, { schema }]) => `'${type}': ${type.includes('json') ? schemaType(schema ?? {}) : 'unknown'};`,
  );
  return `{ ${types.join(' ')} }`;
}

export function schemaType(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  const options = optionsOf(schema);
  if (options !== undefined) return [...new Set(options.map(schemaType))].join(' | ');
  switch (schema.type) {
    case 'object':
      return objectType(schema);
    case 'array':
      return `(${schemaType(schema.items ?? {})})[]`;
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    default:
      return 'unknown';
  }
}

function objectType({ properties, required = [], patternProperties = {}, additionalProperties }: JsonSchema): string {
  const [others] = [
    ...Object.values(patternProperties),
    ...(typeof additionalProperties === 'object' ? [additionalProperties] : []),
  ];
  if (properties === undefined || Object.keys(properties).length === 0)
    return `Record<string, ${others === undefined ? 'unknown' : schemaType(others)}>`;
  const fields = Object.entries(properties).map(([name, schema]) => field(name, schema, required.includes(name)));
  return `{ ${fields.join(' ')} }`;
}

function field(name: string, schema: JsonSchema, isRequired: boolean): string {
  return `${/^\w+$/.test(name) ? name : `'${name}'`}${isRequired ? '' : '?'}: ${schemaType(schema)};`;
}
