import { type TSchema, Type } from 'typebox';
import { AppError } from '../errors.ts';
import { CURSOR_CHARS_MAX, EMAIL_CHARS_MAX, NAME_CHARS_MAX, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX } from '../limits.ts';

/**
 * The schemas that all modules' routes share. Objects are closed: an unknown field is an error instead of being
 * ignored.
 */
export const closed = { additionalProperties: false } as const;

export const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
export const IdParams = Type.Object({ id: Id }, closed);
export const Name = Type.String({ minLength: 1, maxLength: NAME_CHARS_MAX, pattern: '\\S', 'x-one-line': true });
/** Only its length: parseAddress says what an address is, and what is wrong with one, in words. */
export const Email = Type.String({ minLength: 1, maxLength: EMAIL_CHARS_MAX, description: 'one email address' });
export const Time = Type.String({ description: 'ISO 8601, UTC' });
/** Limited to the years that PostgreSQL and JavaScript format the same way. */
export const Day = Type.String({ pattern: '^(?:19|2\\d)\\d{2}-\\d{2}-\\d{2}$', description: 'YYYY-MM-DD' });
export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_ROWS_MAX, default: PAGE_ROWS_DEFAULT })),
  cursor: Type.Optional(Type.String({ maxLength: CURSOR_CHARS_MAX, description: 'nextCursor of the previous page' })),
};

/** Midnight UTC. Throws `invalid` for a day like 2026-02-30, which Date.parse reads as the second of March. */
export function startOfDay(day: string): Date {
  const start = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(start.getTime()) || start.toISOString().slice(0, 10) !== day)
    throw new AppError('invalid', `${day} is not a valid date. Use YYYY-MM-DD.`);
  return start;
}

export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const pageSchema = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), nextCursor: nullable(Type.String()) });
export const named = Type.Object({ id: Id, name: Type.String() });
