import { parsePosition } from '../../src/db/replica-watch.ts';
import type { Owners } from './checks.ts';
import { type Client, createClient } from './client-memory.ts';
import { STEPS } from './mixes.ts';
import type { OpenLoopPlan } from './plan.ts';
import type { Random } from './random.ts';
import type { PlannedRequest, Step } from './step.ts';

/** The requests of a plan, one after the other, without end. */
export function createRequests(plan: OpenLoopPlan, owners: Owners, random: Random): { next(): PlannedRequest } {
  const { mix, requests, accounts = [] } = plan;
  if (requests !== undefined) return inTurn(requests);
  if (mix === undefined || accounts.length === 0) throw new Error('A plan needs requests, or a mix and accounts.');
  const clients = accounts.map(createClient);
  const steps = Object.entries(mix).map(([name, weight]) => ({ weight, ...stepOf(name, clients) }));
  const total = steps.reduce((sum, { weight }) => sum + weight, 0);
  const run = Date.now().toString(36);
  let count = 0;
  const unique = () => `${run}-${plan.seed.toString(36)}-${(++count).toString(36)}`;

  return {
    next() {
      let place = random.next() * total;
      const { step, clients: able } = steps.find(({ weight }) => {
        place -= weight;
        return place < 0;
      }) as (typeof steps)[number];
      const client = random.pick(able) as Client;
      const request = step.request({ client, random, owners, unique });
      return { ...request, remember: (answer) => remember(client, request, answer) };
    },
  };
}

function inTurn(requests: NonNullable<OpenLoopPlan['requests']>): { next(): PlannedRequest } {
  if (requests.length === 0) throw new Error('The plan has no requests.');
  let at = 0;
  return { next: () => requests[at++ % requests.length] as PlannedRequest };
}

function stepOf(name: string, clients: Client[]): { step: Step; clients: Client[] } {
  const step = STEPS[name];
  if (step === undefined)
    throw new Error(`There is no step called ${name}. The steps: ${Object.keys(STEPS).join(', ')}`);
  const able = clients.filter((client) => ABLE[step.needs](client));
  if (able.length === 0) throw new Error(`${name} needs an account for: ${step.needs}. None of the accounts is one.`);
  return { step, clients: able };
}

const ABLE: Readonly<Record<Step['needs'], (client: Client) => boolean>> = {
  viewer: () => true,
  admin: ({ role }) => role !== 'viewer',
  launch: ({ role, mayLaunch }) => role !== 'viewer' && mayLaunch === true,
  password: ({ password }) => password !== undefined,
};

/** Answers overtake each other: of two positions, the later one holds for both. */
function remember(
  client: Client,
  request: PlannedRequest,
  answer: Parameters<NonNullable<PlannedRequest['remember']>>[0],
) {
  const position = answer.headers['read-after'];
  if (typeof position === 'string' && isLater(position, client.readAfter)) client.readAfter = position;
  request.remember?.(answer);
}

type Position = Parameters<typeof parsePosition>[0];

function isLater(position: string, known: string | undefined): boolean {
  return known === undefined || parsePosition(position as Position) > parsePosition(known as Position);
}
