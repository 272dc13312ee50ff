/**
 * Applies the rule for text (src/text.ts) to every string that a request brings as JSON or in its query, before it is
 * validated: no schema and no module can forget it. A schema of a name adds `x-one-line`.
 */
import type { FastifyInstance } from 'fastify';
import { tidyLine, tidyText } from '../text.ts';

export function tidyIncomingText(api: FastifyInstance): void {
  api.addHook('preValidation', (request, _reply, done) => {
    if (typeof request.body === 'string') request.body = tidyText(request.body);
    tidyStrings(request.body);
    tidyStrings(request.query);
    done();
  });
}

/** In place; streams, buffers and dates are left alone. Not recursive: a body may be nested as deep as it is long. */
function tidyStrings(value: unknown): void {
  const left = [value];
  while (left.length > 0) {
    const one = left.pop();
    if (!isPlain(one)) continue;
    for (const key of Object.keys(one)) {
      const text = one[key];
      if (typeof text === 'string') one[key] = tidyText(text);
      else if (typeof text === 'object') left.push(text);
    }
  }
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
