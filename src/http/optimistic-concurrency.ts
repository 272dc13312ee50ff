/**
 * What it is: a change is accepted only by somebody who has seen the version that it changes.
 * What fails without it: two people edit the same thing, and the one who saves last silently undoes the other's work.
 * How it works: each row has a version that counts up. An answer carries it as its ETag; a change must send it back as
 *   If-Match, and the UPDATE names it in its WHERE. Without If-Match the change is refused with 428, and with an older
 *   version with 412: read it again, and decide.
 * What it costs: one integer per row. Its bound: none needed.
 * Its proof: test/http/optimistic-concurrency.test.ts.
 */
import { Type } from 'typebox';
import { AppError } from '../errors.ts';
import { ETAG_CHARS_MAX } from '../limits.ts';

/** The headers of a route that changes something. */
export const IfMatch = Type.Object({
  'if-match': Type.Optional(
    Type.String({ maxLength: ETAG_CHARS_MAX, description: 'the ETag of the version that is changed' }),
  ),
});

export function etagOf(version: number): string {
  return `"${version}"`;
}

/** The version that the caller has seen. Throws `precondition_required` without one, `changed_meanwhile` for any other tag. */
export function versionSeen(headers: { readonly 'if-match'?: string | undefined }): number {
  const tag = headers['if-match'];
  if (tag === undefined)
    throw new AppError('precondition_required', 'Send If-Match with the ETag of the version that you are changing.');
  const version = /^"(\d{1,15})"$/.exec(tag.trim())?.[1];
  // A tag that is not ours cannot be the current one.
  if (version === undefined) throw changedMeanwhile();
  return Number(version);
}

export function changedMeanwhile(): AppError {
  return new AppError(
    'changed_meanwhile',
    'Somebody else has changed this in the meantime. Read it again, then decide.',
  );
}
