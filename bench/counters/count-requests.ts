import type { Account } from '../load/plan.ts';
import { round } from '../scenarios/scenario.ts';
import type { Counters } from './budgets.ts';
import { call } from './call.ts';
import { databaseUse, usedSince } from './database-use.ts';

const TIMES = 10; // each, after one that warms up
const PAGE = 50;
const PACED = 1_000;

interface Target {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
}

interface Items {
  readonly items: readonly { readonly id: number }[];
}

/**
 * Statements, rows and bytes of one request to each route: the median of several, asked one after the other. The median,
 * because every few seconds one of them also looks its session up again.
 */
export async function countRequests(
  apiUrl: string,
  account: Account,
): Promise<{ counters: Counters; asked: string[] }> {
  const counters: Record<string, number> = {};
  const targets = await targetsOf(apiUrl, account);
  for (const [route, target] of Object.entries(targets)) {
    await ask(apiUrl, account, target);
    const seen: { queries: number; rows: number; bytes: number }[] = [];
    for (let time = 0; time < TIMES; time++) {
      const before = await databaseUse(apiUrl);
      const { bytes } = await ask(apiUrl, account, target);
      seen.push({ ...usedSince(before, await databaseUse(apiUrl)), bytes });
    }
    for (const unit of ['queries', 'rows', 'bytes'] as const)
      counters[`${route}: ${unit}`] = median(seen.map((one) => one[unit]));
  }
  return { counters, asked: Object.keys(targets) };
}

/** CPU seconds of the api's box for a thousand requests to the routes that read, in turn. */
export async function cpuOfRequests(apiUrl: string, account: Account, cpuSeconds: () => number): Promise<number> {
  const reads = Object.values(await targetsOf(apiUrl, account)).filter(({ method }) => method === 'GET');
  const before = cpuSeconds();
  for (let asked = 0; asked < PACED; asked++) await ask(apiUrl, account, reads[asked % reads.length] as Target);
  return round((cpuSeconds() - before) * (1_000 / PACED), 2);
}

/** Writes come first, so that the lists that follow have rows of every kind. */
async function targetsOf(apiUrl: string, account: Account): Promise<Record<string, Target>> {
  const idsOf = async (path: string) => (await ask<Items>(apiUrl, account, get(path))).json.items.map(({ id }) => id);
  // The oldest campaign of the seed: everybody has answered, and nothing in it changes with the hour of the day.
  const campaign = (await idsOf('/api/campaigns')).at(-1);
  const conversation = (await idsOf(`/api/conversations?campaignId=${campaign}`)).at(-1);
  const draft = (await ask<{ id: number }>(apiUrl, account, { method: 'POST', path: '/api/campaigns', body: CAMPAIGN }))
    .json;
  return {
    'POST /api/campaigns': { method: 'POST', path: '/api/campaigns', body: CAMPAIGN },
    'PATCH /api/campaigns/{id}': { method: 'PATCH', path: `/api/campaigns/${draft.id}`, body: { subject: 'Changed' } },
    'POST /api/imports': { method: 'POST', path: '/api/imports', body: { fileName: 'counted.csv' } },
    'GET /api/me': get('/api/me'),
    'GET /api/summary': get('/api/summary'),
    'GET /api/teams': get('/api/teams'),
    'GET /api/employees': get(`/api/employees?limit=${PAGE}`),
    'GET /api/employees (search)': get(`/api/employees?limit=${PAGE}&search=mar`),
    'GET /api/campaigns': get('/api/campaigns?limit=10'),
    'GET /api/campaigns/{id}': get(`/api/campaigns/${campaign}`),
    'GET /api/campaigns/{id}/reach-outs': get(`/api/campaigns/${campaign}/reach-outs?limit=${PAGE}`),
    'GET /api/conversations': get(`/api/conversations?limit=${PAGE}&campaignId=${campaign}`),
    'GET /api/conversations/{id}': get(`/api/conversations/${conversation}`),
    'GET /api/mood': get('/api/mood'),
    'GET /api/imports': get('/api/imports?limit=10'),
    'GET /api/operations': get('/api/operations'),
  };
}

const CAMPAIGN = { name: 'Counted', subject: 'How was your week, {{name}}?', body: 'Hello {{name}}, how are things?' };

const get = (path: string): Target => ({ method: 'GET', path });

function ask<T>(apiUrl: string, account: Account, { method, path, body }: Target) {
  return call<T>(apiUrl, account, method, path, body);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
