/** Entity tags as conditional requests name them (RFC 9110 8.8.3). */

/** One of a list. */
export const ENTITY_TAG = /(?:W\/)?"[!#-~\x80-\xff]*"/g;

/** Whether `If-None-Match` names `tag`, or anything: the client has it. Proxies that compress mark tags as weak. */
export function isAmong(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return (ifNoneMatch.match(ENTITY_TAG) ?? []).some((one) => withoutWeakness(one) === withoutWeakness(tag));
}

export function withoutWeakness(tag: string): string {
  return tag.replace(/^W\//, '');
}
