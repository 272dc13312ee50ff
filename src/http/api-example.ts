/** What the examples in the API's document are made from. */

/** The part of JSON Schema that TypeBox writes and an example depends on. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly example?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly minimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly description?: string;
}

/** The schema's own example, or else a value that it accepts; a text says the name of its field. */
export function exampleOf(schema: JsonSchema, field = 'text'): unknown {
  const [own] = schema.examples ?? [];
  const given = own ?? schema.example ?? schema.default ?? schema.const ?? schema.enum?.[0];
  if (given !== undefined) return given;
  const options = optionsOf(schema);
  if (options !== undefined) return exampleOf(options.find(({ type }) => type !== 'null') ?? {}, field);
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, exampleOf(inner, name)]),
      );
    case 'array':
      return schema.items === undefined ? [] : [exampleOf(schema.items, field)];
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    case 'string':
      return inWords(field)
        .padEnd(schema.minLength ?? 0, '.')
        .slice(0, schema.maxLength);
    default:
      return null;
  }
}

/** What a value may be one of; `type: ['string', 'null']` is two. Undefined where there is no choice. */
export function optionsOf<Schema extends JsonSchema>(schema: Schema): readonly Schema[] | undefined {
  const { type } = schema;
  if (typeof type === 'object') return type.map((one) => ({ ...schema, type: one }));
  return (schema.anyOf ?? schema.oneOf) as readonly Schema[] | undefined;
}

/** `fileName` to `File name`. */
function inWords(field: string): string {
  const words = field.replace(/[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
