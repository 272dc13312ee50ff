/** What people teams ask all day, in the weights of the office day: whole lists and pages of 50 are both right answers. */
import type { Client } from 'pg';
import type { Account, FixedRequest } from '../../../load/plan.ts';
import { createRandom, type Random } from '../../../load/random.ts';
import { sum } from '../../../numbers.ts';

const REQUESTS = 2_000;
const ROWS = 20; // of each list, asked for by their ids

type Ids = Readonly<Record<'campaigns' | 'conversations', readonly number[]>>;
type Asks = (account: Account, ids: Ids, random: Random) => Pick<FixedRequest, 'route' | 'path' | 'check'>;

const ASKED: readonly [weight: number, asks: Asks][] = [
  [
    12,
    ({ email, orgId }) => ({
      route: 'GET /api/v1/me',
      path: '/api/v1/me',
      check: { name: 'me', args: { fields: { email }, orgId } },
    }),
  ],
  [14, () => ({ route: 'GET /api/v1/summary', path: '/api/v1/summary', check: { name: 'summary' } })],
  [8, list('employees', 'asc')],
  [7, list('campaigns', 'desc')],
  [5, row('campaigns')],
  [8, list('conversations', 'desc')],
  [8, row('conversations')],
];

/** The same ones in the same order for the same ids. */
export async function dashboardRequests(database: Client, accounts: readonly Account[]): Promise<FixedRequest[]> {
  const random = createRandom(11);
  const ids = new Map<number, Ids>();
  for (const { orgId } of accounts)
    ids.set(orgId, {
      campaigns: await newest(database, 'campaigns', orgId),
      conversations: await newest(database, 'conversations', orgId),
    });
  const total = sum(ASKED.map(([weight]) => weight));
  return Array.from({ length: REQUESTS }, () => {
    const account = random.pick(accounts) as Account;
    let place = random.next() * total;
    const [, asks] = ASKED.find(([weight]) => {
      place -= weight;
      return place < 0;
    }) as (typeof ASKED)[number];
    const headers = { authorization: `Bearer ${account.token}` };
    return { method: 'GET', headers, expect: [200], ...asks(account, ids.get(account.orgId) as Ids, random) };
  });
}

function list(kind: string, order: 'asc' | 'desc'): Asks {
  return ({ orgId }) => ({
    route: `GET /api/v1/${kind}`,
    path: `/api/v1/${kind}?limit=50`,
    check: { name: 'page', args: { order, kind, orgId } },
  });
}

function row(kind: keyof Ids): Asks {
  return ({ orgId }, ids, random) => {
    const id = random.pick(ids[kind]) as number;
    return {
      route: `GET /api/v1/${kind}/{id}`,
      path: `/api/v1/${kind}/${id}`,
      check: { name: 'object', args: { id, kind, orgId } },
    };
  };
}

async function newest(database: Client, table: keyof Ids, orgId: number): Promise<number[]> {
  const { rows } = await database.query<{ id: string }>(
    `select id from ${table} where org_id = $1 order by id desc limit ${ROWS}`,
    [orgId],
  );
  return rows.map(({ id }) => Number(id));
}
