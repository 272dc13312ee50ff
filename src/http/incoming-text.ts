/**
 * Applies the rule for text (src/text.ts) to every string that a request brings as JSON or in its query, before it is
 * validated: no schema and no module can forget it. A schema of a name adds `x-one-line`. A NUL is refused, also where
 * nothing would be stored: PostgreSQL cannot hold one, and a preview must not accept what cannot be saved. So is a query
 * that is not UTF-8 (`J%FCrgen`): the parser would look for another text than was meant, and find nobody.
 */
import type { FastifyInstance } from 'fastify';
import { AppError } from '../errors.ts';
import { tidyLine, tidyText } from '../text.ts';
import { NUL_IN_TEXT } from './problem-details.ts';

export function tidyIncomingText(api: FastifyInstance): void {
  api.addHook('preValidation', (request, _reply, done) => {
    const query = request.url.split('?').slice(1).join('?');
    if (decoded(query) === undefined) return done(new AppError('invalid', NOT_ENCODED));
    const read = { body: request.body, query: request.query };
    const hasNul = tidyStrings(read);
    if (typeof request.body === 'string') request.body = read.body;
    done(hasNul ? new AppError('invalid', NUL_IN_TEXT) : undefined);
  });
}

/** Undefined for what is not UTF-8. */
function decoded(query: string): string | undefined {
  try {
    return decodeURIComponent(query);
  } catch {
    return undefined;
  }
}

const NOT_ENCODED = 'The query must be percent-encoded UTF-8. Write % itself as %25.';

/**
 * In place; streams, buffers and dates are left alone. Says whether a NUL was found. Not recursive: a body may be nested as
 * deep as it is long.
 */
function tidyStrings(value: unknown): boolean {
  const left = [value];
  let hasNul = false;
  while (left.length > 0) {
    const one = left.pop();
    if (!isPlain(one)) continue;
    for (const key of Object.keys(one)) {
      const text = one[key];
      if (typeof text === 'string') {
        one[key] = tidyText(text);
        hasNul ||= text.includes('\0');
      } else if (typeof text === 'object') left.push(text);
    }
  }
  return hasNul;
}

/** What JSON and the query parser make: arrays, and objects of no class. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The keyword `x-one-line: true`: line breaks, tabs and rows of spaces become one space before the length is checked. */
export const ONE_LINE = {
  keyword: 'x-one-line',
  type: 'string' as const,
  schemaType: 'boolean' as const,
  before: 'minLength',
  modifying: true,
  validate(_on: boolean, text: string, _schema?: object, place?: Place): boolean {
    if (place !== undefined) Object.assign(place.parentData, { [place.parentDataProperty]: tidyLine(text) });
    return true;
  },
};

interface Place {
  readonly parentData: object;
  readonly parentDataProperty: string | number;
}
