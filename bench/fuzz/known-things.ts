/** What is there to ask for: without it nearly every request to a thing would be about one that does not exist. */
import { call } from '../call.ts';

/** By the path of the list. */
export type KnownThings = ReadonlyMap<string, { readonly ids: readonly string[]; readonly cursors: readonly string[] }>;

interface Page {
  readonly items?: readonly { readonly id?: number }[];
  readonly nextCursor?: string | null;
}

/** The first page of each list of the document. */
export async function knownThings(
  apiUrl: string,
  token: string,
  operations: readonly { readonly method: string; readonly path: string }[],
): Promise<KnownThings> {
  const known = new Map<string, { ids: string[]; cursors: string[] }>();
  for (const { method, path } of operations) {
    if (method !== 'GET' || path.includes('{') || path.includes('/exports/')) continue;
    const page = await call<Page>(apiUrl, path, { token }).then(
      ({ json }) => json,
      () => undefined, // only some may read it
    );
    if (!Array.isArray(page?.items)) continue;
    known.set(path, {
      ids: page.items.flatMap(({ id }) => (typeof id === 'number' ? [String(id)] : [])),
      cursors: typeof page.nextCursor === 'string' ? [page.nextCursor] : [],
    });
  }
  return known;
}
