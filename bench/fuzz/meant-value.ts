/**
 * Values that get past validation: of the kind of an example, where the document gives one, and within the bounds of the
 * schema. An example knows what a schema does not say: which fields go together, and that a text is a day.
 */
import fc from 'fast-check';
import { exampleOf, type JsonSchema, optionsOf } from '../../src/http/api-example.ts';

const TEXT_CHARS_MAX = 60;
const NUMBER_MAX = 50; // ids that a seeded database has, and numbers of things that a test has patience for
const ITEMS_MAX = 5;

export interface BoundedSchema extends JsonSchema {
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
}

/** Texts of which the schema says only how long they are. The first that the example matches. */
const KINDS: readonly (readonly [kind: RegExp, values: readonly string[]])[] = [
  [
    /^[^@\s]+@[^@\s]+$/,
    ['ada@example.com', 'Ben.O-Neil+x@mail.example.org', 'zoë@bücher.example', 'x@xn--bcher-kva.example'],
  ],
  [
    /^https:\/\//,
    ['https://hooks.example.com/a', 'https://hooks.example.com:8443/?b=1', 'https://bücher.example/ü%20x'],
  ],
  [/^\d{4}-\d{2}-\d{2}$/, ['2026-02-28', '2024-02-29', '2026-11-21', '1999-12-31', '2027-01-01']],
  [/^\d{4}-\d{2}-\d{2}T/, ['2099-01-31T09:00:00+01:00', '2099-03-28T02:30:00', '2099-12-31T23:59:59Z']],
  [/^\S+ \S+ \S+ \S+ \S+$/, ['0 9 * * 1', '30 2 * * 0', '0 0 29 2 *', '0 8-17/3 * * 1-5', '15 23 L * *']],
  [/^[A-Z][a-z]+\/[A-Z]\w+$/, ['Europe/Berlin', 'America/St_Johns', 'Asia/Kathmandu', 'Pacific/Apia', 'UTC']],
];

/** `example`: of a value for this schema. Without one it is made, as for the document. */
export function meantValue(schema: BoundedSchema, field = 'text', example?: unknown): fc.Arbitrary<unknown> {
  const given = example ?? exampleOf(schema, field);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const options = optionsOf(schema);
  if (options !== undefined) return fc.oneof(...options.map((one) => meantValue(one, field)));
  switch (schema.type) {
    case 'object':
      return meantObject(schema, given);
    case 'array': {
      const { items = {}, minItems = 0, maxItems = ITEMS_MAX } = schema;
      const [first] = Array.isArray(given) ? given : [];
      return fc.array(meantValue(items, field, first), {
        minLength: minItems,
        maxLength: Math.min(maxItems, ITEMS_MAX),
      });
    }
    case 'integer':
    case 'number': {
      const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = schema;
      const usual = fc.integer({ min: minimum, max: Math.min(maximum, minimum + NUMBER_MAX) });
      return fc.oneof({ weight: 6, arbitrary: usual }, fc.constantFrom(minimum, maximum));
    }
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
      return meantText(schema, String(given));
    default:
      return fc.constant(given);
  }
}

/** The fields of the example, of which some may be left out: others do not always go with them. */
function meantObject({ properties = {}, required = [] }: BoundedSchema, example: unknown): fc.Arbitrary<unknown> {
  const given = Object.entries((example ?? {}) as object).filter(([name]) => name in properties);
  const fields = given.map(([name, value]) => [name, meantValue(properties[name] ?? {}, name, value)] as const);
  const all = fc.record(Object.fromEntries(fields));
  const some = fc.record(Object.fromEntries(fields), { requiredKeys: [...required] });
  return fc.oneof({ weight: 3, arbitrary: all }, { weight: 1, arbitrary: some });
}

function meantText(
  { minLength = 0, maxLength = TEXT_CHARS_MAX, pattern }: BoundedSchema,
  example: string,
): fc.Arbitrary<string> {
  const values = KINDS.find(([kind]) => kind.test(example))?.[1];
  if (values !== undefined) return fc.constantFrom(example, ...values);
  const fits = (text: string) =>
    text.length >= minLength &&
    text.length <= maxLength &&
    (pattern === undefined || new RegExp(pattern, 'u').test(text));
  const words = fc
    .string({ unit: 'grapheme', maxLength: Math.min(maxLength, TEXT_CHARS_MAX) })
    .map((text) => (fits(text) ? text : example));
  if (pattern?.startsWith('^') !== true) return fc.oneof(fc.constant(example), words);
  const matching = fc.stringMatching(new RegExp(pattern), { maxLength: Math.min(maxLength, TEXT_CHARS_MAX) });
  return fc.oneof(matching.filter(fits), words.filter(fits));
}
