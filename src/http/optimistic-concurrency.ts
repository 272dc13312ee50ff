/**
 * What it is: a change is accepted only from a client that has seen the current version.
 * What fails without it: two people edit the same thing, and the one who saves last silently undoes the other's work.
 * How it works: each row has a version number that each update increments. The response carries it as the ETag; a
 *   change must send it back as If-Match, and the UPDATE has it in its WHERE. Without If-Match the change is refused
 *   with 428, with an outdated version with 412: the client must read it again and decide. An action (a POST) may leave
 *   it out; with it, nobody launches what they have not seen. test/http/changes.test.ts holds it for all PUT and PATCH.
 * What it costs: one integer per row. Its bound: none needed.
 * Its proof: test/http/optimistic-concurrency.test.ts, bench/patterns/optimistic-concurrency.
 */
import { Type } from 'typebox';
import { AppError } from '../errors.ts';
import { ETAG_CHARS_MAX } from '../limits.ts';

const VERSION_MAX = 2 ** 31 - 1; // PostgreSQL's integer

/** The headers of a route that changes something, or does something with it. */
export const IfMatch = Type.Object({
  'if-match': Type.Optional(
    Type.String({ maxLength: ETAG_CHARS_MAX, description: 'the ETag of the version to change' }),
  ),
});

/** Of a version; or of the value itself, where that is all that can be changed. */
export function etagOf(version: number | string): string {
  return `"${version}"`;
}

interface Headers {
  readonly 'if-match'?: string | undefined;
}

/** The version that the caller has seen. Throws `precondition_required` without one, `changed_meanwhile` for any other tag. */
export function versionSeen(headers: Headers): number {
  const tag = tagSeen(headers);
  const version = Number(/^"(\d{1,10})"$/.exec(tag)?.[1] ?? Number.NaN);
  // A tag that we did not issue cannot be the current one, nor can a number that the column could not hold.
  if (!(version <= VERSION_MAX)) throw changedMeanwhile();
  return version;
}

/** The same for an action, which can be asked for without one. */
export function versionSeenIfAny(headers: Headers): number | undefined {
  return headers['if-match'] === undefined ? undefined : versionSeen(headers);
}

/** The ETag that the caller has seen. Throws `precondition_required` without one. */
export function tagSeen({ 'if-match': tag }: Headers): string {
  if (tag === undefined)
    throw new AppError('precondition_required', 'Send If-Match with the ETag of the version that you are changing.');
  return tag.trim();
}

export function changedMeanwhile(): AppError {
  return new AppError(
    'changed_meanwhile',
    'Someone else has changed this in the meantime. Read it again before you change it.',
  );
}
