/**
 * What it is: a change is accepted only from a client that has seen the current version.
 * What fails without it: two people edit the same thing, and the one who saves last silently undoes the other's work.
 * How it works: each row has a version number that each update increments. The response carries it as the ETag; a
 *   change must send it back as If-Match, and the UPDATE has it in its WHERE. Without If-Match the change is refused
 *   with 428, with an outdated version with 412: the client must read it again and decide. An action (a POST) may leave
 *   it out; with it, nobody launches what they have not seen. A client that knows several versions may send a list, and
 *   one that wants its change whatever there is sends `*` (RFC 9110 13.1.1). test/http/changes.test.ts holds it for all
 *   PUT and PATCH.
 * What it costs: one integer per row. Its bound: none needed.
 * Its proof: test/http/optimistic-concurrency.test.ts, bench/patterns/optimistic-concurrency.
 */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { Type } from 'typebox';
import { AppError } from '../errors.ts';
import { ETAG_CHARS_MAX } from '../limits.ts';

const VERSION_MAX = 2 ** 31 - 1; // PostgreSQL's integer

/** The headers of a route that changes something, or does something with it. */
export const IfMatch = Type.Object({
  'if-match': Type.Optional(
    Type.String({ maxLength: ETAG_CHARS_MAX, description: 'the ETag of the version to change, several, or *' }),
  ),
});

/** Of a version; or of the value itself, where that is all that can be changed. */
export function etagOf(version: number | string): string {
  return `"${version}"`;
}

interface Headers {
  readonly 'if-match'?: string | undefined;
}

/** What the caller accepts as the current one. */
export type Accepted<T> = readonly T[] | 'any';

/**
 * The versions that the caller has seen. Throws `precondition_required` without any, `invalid`, and `changed_meanwhile`
 * when none of them can be the current one.
 */
export function versionsSeen(headers: Headers): Accepted<number> {
  const tags = tagsSeen(headers);
  if (tags === 'any') return tags;
  // A tag that we did not issue cannot be the current one, nor can a number that the column could not hold.
  const versions = tags.map((tag) => Number(/^"([1-9]\d{0,9})"$/.exec(tag)?.[1])).filter((one) => one <= VERSION_MAX);
  if (versions.length === 0) throw changedMeanwhile();
  return versions;
}

/** The same for an action, which can be asked for without one. */
export function versionsSeenIfAny(headers: Headers): Accepted<number> {
  return headers['if-match'] === undefined ? 'any' : versionsSeen(headers);
}

/** The ETags that the caller has seen. Throws `precondition_required` without any, and `invalid`. */
export function tagsSeen({ 'if-match': header }: Headers): Accepted<string> {
  if (header === undefined)
    throw new AppError('precondition_required', 'Send If-Match with the ETag of the version that you are changing.');
  if (header.trim() === '*') return 'any';
  if (!TAGS.test(header))
    throw new AppError(
      'invalid',
      'If-Match is neither *, nor an ETag in double quotes, nor a list of these with commas between them.',
    );
  // A weak tag says that two things are much the same, which is not enough to change one of them.
  return (header.match(TAG) ?? []).filter((tag) => !tag.startsWith('W/'));
}

export function isAccepted<T>(accepted: Accepted<T>, current: T): boolean {
  return accepted === 'any' || accepted.includes(current);
}

/** The same in SQL, for a table with a column `version`. */
export function isVersionAccepted(versions: Accepted<number>): RawBuilder<SqlBool> {
  return versions === 'any' ? sql`true` : sql`version = any(${versions})`;
}

export function changedMeanwhile(): AppError {
  return new AppError(
    'changed_meanwhile',
    'Someone else has changed this in the meantime. Read it again before you change it.',
  );
}

const TAG = /(?:W\/)?"[!#-~\x80-\xff]*"/g;
const TAGS = new RegExp(`^[\\s,]*${TAG.source}(?:\\s*,[\\s,]*${TAG.source})*[\\s,]*$`);
