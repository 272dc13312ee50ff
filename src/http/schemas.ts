import { type TSchema, Type } from 'typebox';
import { CURSOR_CHARS_MAX, EMAIL_CHARS_MAX, NAME_CHARS_MAX, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX } from '../limits.ts';

/** The shapes that every module's routes share. Objects are closed: a field that nobody reads is an error, not ignored. */
export const closed = { additionalProperties: false } as const;

export const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
export const IdParams = Type.Object({ id: Id }, closed);
export const Name = Type.String({ minLength: 1, maxLength: NAME_CHARS_MAX, pattern: '\\S' });
/** Bounded and linear: one @, no spaces, a dot in the domain. The mail server has the last word. */
export const Email = Type.String({ maxLength: EMAIL_CHARS_MAX, pattern: '^[^\\s@<>"]+@[^\\s@<>"]+\\.[^\\s@<>"]+$' });
export const Time = Type.String({ description: 'ISO 8601, UTC' });
export const Day = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'YYYY-MM-DD' });
export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_ROWS_MAX, default: PAGE_ROWS_DEFAULT })),
  cursor: Type.Optional(Type.String({ maxLength: CURSOR_CHARS_MAX, description: 'nextCursor of the page before' })),
};

export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const pageSchema = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), nextCursor: nullable(Type.String()) });
export const named = Type.Object({ id: Id, name: Type.String() });
