import type { CheckArgs, CheckName } from './checks.ts';
import type { Client } from './client-memory.ts';
import { authorized, type PlannedRequest, type Step, type StepContext, type Steps } from './step.ts';

const PAGE = 50;

export const READ_STEPS: Steps = {
  'GET /api/me': read('GET /api/me', 'me', ({ email, orgId }) => ({ fields: { email }, orgId })),
  'GET /api/summary': read('GET /api/summary', 'summary'),
  'GET /api/teams': read('GET /api/teams', 'page', ({ orgId }) => ({ kind: 'teams', orgId })),
  'GET /api/mood': read('GET /api/mood', 'mood'),
  'GET /api/operations': { ...read('GET /api/operations', 'operations'), needs: 'admin' },
  'GET /api/campaigns/defaults': read('GET /api/campaigns/defaults', 'object'),
  'GET /api/employees': { needs: 'viewer', request: ({ client }) => employees(client) },
  'GET /api/employees (next page)': { needs: 'viewer', request: ({ client }) => nextPage(client, 'employees') },
  'GET /api/employees (search)': { needs: 'viewer', request: search },
  'GET /api/employees (team)': { needs: 'viewer', request: employeesOfTeam },
  'GET /api/campaigns': { needs: 'viewer', request: ({ client }) => newestFirst(client, 'campaigns') },
  'GET /api/conversations': { needs: 'viewer', request: ({ client }) => newestFirst(client, 'conversations') },
  'GET /api/conversations (next page)': { needs: 'viewer', request: ({ client }) => nextPage(client, 'conversations') },
  'GET /api/conversations/{id}': { needs: 'viewer', request: conversation },
  'GET /api/exports/answers.csv': { needs: 'admin', request: exportAnswers },
  'GET /docs/openapi.json': {
    needs: 'viewer',
    request: () => ({
      ...get('GET /docs/openapi.json', '/docs/openapi.json', {}),
      check: { name: 'text', args: { text: '"/api/employees"' } },
    }),
  },
};

export function get(route: string, path: string, headers: Record<string, string>): PlannedRequest {
  return { route, method: 'GET', path, headers, expect: [200] };
}

interface PageAnswer {
  readonly items: { id: number }[];
  readonly nextCursor: string | null;
}

type List = 'employees' | 'campaigns' | 'conversations';

/** A list, newest first; its rows are remembered for the requests that want one by id. */
export function newestFirst(client: Client, list: 'campaigns' | 'conversations', from = firstPage): PlannedRequest {
  return {
    ...get(`GET /api/${list}${from.suffix}`, `/api/${list}?limit=${PAGE}${from.query}`, authorized(client)),
    check: {
      name: 'page',
      args: { limit: PAGE, order: 'desc', kind: list, orgId: client.orgId, ...afterOf(from) },
    },
    remember({ json }) {
      const { items } = json as PageAnswer;
      for (const { id } of items.slice(0, 10)) client[list].add({ id });
      keepCursor(client, list, json as PageAnswer);
    },
  };
}

interface From {
  readonly suffix: string;
  readonly query: string;
  readonly after: number | undefined;
}

const firstPage: From = { suffix: '', query: '', after: undefined };
const afterOf = ({ after }: From): CheckArgs => (after === undefined ? {} : { after });

function employees(client: Client, from: From = firstPage): PlannedRequest {
  const { orgId, domain } = client;
  return {
    ...get(`GET /api/employees${from.suffix}`, `/api/employees?limit=${PAGE}${from.query}`, authorized(client)),
    check: {
      name: 'employees',
      args: {
        limit: PAGE,
        order: 'asc',
        kind: 'employees',
        orgId,
        ...(domain === undefined ? {} : { domain }),
        ...afterOf(from),
      },
    },
    remember: ({ json }) => keepCursor(client, 'employees', json as PageAnswer),
  };
}

function keepCursor(client: Client, list: List, { items, nextCursor }: PageAnswer): void {
  const last = items.at(-1);
  if (nextCursor !== null && last !== undefined) client.cursors.add({ list, cursor: nextCursor, after: last.id });
}

function nextPage(client: Client, list: 'employees' | 'conversations'): PlannedRequest {
  const kept = takeCursor(client, list);
  const from =
    kept === undefined
      ? firstPage
      : { suffix: ' (next page)', query: `&cursor=${encodeURIComponent(kept.cursor)}`, after: kept.after };
  return list === 'employees' ? employees(client, from) : newestFirst(client, list, from);
}

/** The oldest of this list; those of other lists go back to the end of the line. */
function takeCursor(client: Client, list: List): { cursor: string; after: number } | undefined {
  for (let left = client.cursors.size; left > 0; left--) {
    const kept = client.cursors.take();
    if (kept === undefined || kept.list === list) return kept;
    client.cursors.add(kept);
  }
  return undefined;
}

const BEGINNINGS = ['mar', 'jo', 'zai', 'kwame', 'le', 'ol', 'vik', 'hor', 'an', 'sofia l'];

function search({ client, random }: StepContext): PlannedRequest {
  const beginning = random.pick(BEGINNINGS) as string;
  const { check, ...request } = employees(client, {
    suffix: ' (search)',
    query: `&search=${encodeURIComponent(beginning)}`,
    after: undefined,
  });
  // What it found stands in its own order, and its cursors belong to the search, not to the list.
  const { order: _order, ...args } = check?.args ?? {};
  return { ...request, check: { name: 'employees', args: { ...args, search: beginning } }, remember: () => {} };
}

function employeesOfTeam(context: StepContext): PlannedRequest {
  const { client, random, owners } = context;
  const team = owners.own('teams', client.orgId, random);
  if (team === undefined) return (READ_STEPS['GET /api/teams'] as Step).request(context);
  return {
    ...employees(client, { suffix: ' (team)', query: `&teamId=${team}`, after: undefined }),
    remember: () => {},
  };
}

function conversation({ client, random }: StepContext): PlannedRequest {
  const kept = client.conversations.at(random.below(client.conversations.size));
  if (kept === undefined) return newestFirst(client, 'conversations');
  return {
    ...get('GET /api/conversations/{id}', `/api/conversations/${kept.id}`, authorized(client)),
    check: { name: 'object', args: { id: kept.id, kind: 'conversations', orgId: client.orgId } },
  };
}

const EXPORT_DAYS = 7;

function exportAnswers({ client }: StepContext): PlannedRequest {
  const from = new Date(Date.now() - EXPORT_DAYS * 86_400_000).toISOString().slice(0, 10);
  return {
    ...get('GET /api/exports/answers.csv', `/api/exports/answers.csv?from=${from}`, authorized(client)),
    check: { name: 'answers-csv' },
  };
}

function read(route: string, check: CheckName, args: (client: Client) => CheckArgs = () => ({})): Step {
  return {
    needs: 'viewer',
    request: ({ client }) => ({
      ...get(route, route.replace('GET ', ''), authorized(client)),
      check: { name: check, args: args(client) },
    }),
  };
}
