/** Lists, as a person reads them: the first page, the next one, a row of it by its id. */
import type { CheckArgs } from './checks.ts';
import type { Client } from './client-memory.ts';
import type { Random } from './random.ts';
import { authorized, get, type PlannedRequest, type Step } from './step.ts';

export interface List {
  /** `GET /api/v1/notes`; the path is that of the route. */
  readonly route: string;
  readonly order: 'asc' | 'desc';
  /** What its rows are: a row that two organisations see is a leak. */
  readonly kind: string;
  /** Default: `page`. */
  readonly check?: string;
  readonly args?: (client: Client) => CheckArgs;
}

export interface View {
  /** Which use of the route it is: ` (search)`. */
  readonly suffix: string;
  /** More of the query: `&search=jo`. */
  readonly query: string;
  readonly after?: number;
}

export const PAGE_ROWS = 50;
const ROWS_KEPT = 10; // of each page, for the requests that want one by id
const FIRST_PAGE: View = { suffix: '', query: '' };

export function listStep(list: List): Step {
  return { needs: 'viewer', request: ({ client }) => pageOf(client, list) };
}

export function nextPageStep(list: List): Step {
  return { needs: 'viewer', request: ({ client }) => nextPageOf(client, list) };
}

export function pageOf(client: Client, list: List, { suffix, query, after }: View = FIRST_PAGE): PlannedRequest {
  const { route, order, kind, check = 'page', args } = list;
  return {
    ...get(`${route}${suffix}`, `${route.replace('GET ', '')}?limit=${PAGE_ROWS}${query}`, authorized(client)),
    check: {
      name: check,
      args: {
        ...(args?.(client) ?? {}),
        limit: PAGE_ROWS,
        order,
        kind,
        orgId: client.orgId,
        ...(after === undefined ? {} : { after }),
      },
    },
    remember: ({ json }) => remember(client, list, json as PageAnswer),
  };
}

/** A row that an earlier page showed; undefined before the first page. */
export function rowOf(client: Client, { route }: List, random: Random): { readonly id: number } | undefined {
  const rows = client.kept<{ id: number }>(`rows of ${route}`);
  return rows.at(random.below(rows.size));
}

/** The first page where no earlier one has left a cursor. */
function nextPageOf(client: Client, list: List): PlannedRequest {
  const kept = cursorsOf(client, list).take();
  if (kept === undefined) return pageOf(client, list);
  const query = `&cursor=${encodeURIComponent(kept.cursor)}`;
  return pageOf(client, list, { suffix: ' (next page)', query, after: kept.after });
}

interface PageAnswer {
  readonly items: readonly { readonly id: number }[];
  readonly nextCursor: string | null;
}

function remember(client: Client, list: List, { items, nextCursor }: PageAnswer): void {
  for (const { id } of items.slice(0, ROWS_KEPT)) client.kept<{ id: number }>(`rows of ${list.route}`).add({ id });
  const last = items.at(-1);
  if (typeof nextCursor === 'string' && last !== undefined)
    cursorsOf(client, list).add({ cursor: nextCursor, after: last.id });
}

function cursorsOf(client: Client, { route }: List) {
  return client.kept<{ cursor: string; after: number }>(`cursors of ${route}`);
}
