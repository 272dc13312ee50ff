import { type Static, type TSchema, Type } from 'typebox';
import {
  CURSOR_CHARS_MAX,
  EMAIL_CHARS_MAX,
  NAME_CHARS_MAX,
  PAGE_ROWS_DEFAULT,
  PAGE_ROWS_MAX,
  TIME_CHARS_MAX,
} from '../limits.ts';

/**
 * The schemas that all modules' routes share. Objects are closed: an unknown field is an error instead of being
 * ignored.
 */
export const closed = { additionalProperties: false } as const;

export const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, examples: [1] });
export const IdParams = Type.Object({ id: Id }, closed);
export const Name = Type.String({
  minLength: 1,
  maxLength: NAME_CHARS_MAX,
  pattern: '\\S',
  'x-one-line': true,
  examples: ['Ada Lovelace'],
});
/** Only its length: parseAddress says what an address is, and what is wrong with one, in words. */
export const Email = Type.String({
  minLength: 1,
  maxLength: EMAIL_CHARS_MAX,
  description: 'one email address',
  examples: ['ada@example.com'],
});
export const Time = Type.String({ description: 'ISO 8601, UTC', examples: ['2026-11-21T06:02:17.123456Z'] });
/** Read with `startOfDay`, which refuses in words what a pattern would only fail to match. */
export const Day = Type.String({
  maxLength: TIME_CHARS_MAX,
  description: 'a day in UTC, YYYY-MM-DD',
  examples: ['2026-11-21'],
});
export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_ROWS_MAX, default: PAGE_ROWS_DEFAULT })),
  cursor: Type.Optional(Type.String({ maxLength: CURSOR_CHARS_MAX, description: 'nextCursor of the previous page' })),
};

/**
 * Of text, numbers and booleans as a list of types: fast-json-stringify's native mechanism (server.ts) writes that, and
 * leaves a whole answer with a choice of schemas to its slower one.
 */
export function nullable<T extends TSchema>(schema: T) {
  const { type = '', const: only } = schema as { readonly type?: string; readonly const?: unknown };
  const isPlain = /^(?:string|number|boolean)$/.test(type) && only === undefined;
  return Type.Unsafe<Static<T> | null>(
    isPlain ? { ...schema, type: [type, 'null'] } : Type.Union([schema, Type.Null()]),
  );
}

export const pageSchema = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), nextCursor: nullable(Type.String()) });
export const named = Type.Object({ id: Id, name: Type.String() });
