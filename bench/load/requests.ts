import { randomBytes } from 'node:crypto';
import { parsePosition } from '../../src/db/failover-position.ts';
import { sum } from '../numbers.ts';
import type { Owners } from './checks.ts';
import { type Client, createClient } from './client-memory.ts';
import type { Account, Mix, OpenLoopPlan } from './plan.ts';
import type { Random } from './random.ts';
import type { PlannedRequest, Step, Steps } from './step.ts';

const RUN_BYTES = 5;

/** The requests of a plan, one after the other, without end. */
export function createRequests(plan: OpenLoopPlan, steps: Steps, owners: Owners, random: Random): Requests {
  const { mix, requests, accounts = [], mixOrder = 'chance' } = plan;
  if (requests !== undefined) return inTurn(requests);
  if (mix === undefined || accounts.length === 0) throw new Error('A plan needs requests, or a mix and accounts.');
  const clients = accounts.map(createClient);
  const choices = Object.entries(mix).map(([name, weight]) => ({ name, weight, ...stepOf(steps, name, clients) }));
  const run = randomBytes(RUN_BYTES).toString('hex'); // two loads can begin in the same millisecond
  let count = 0;
  const unique = () => `${run}-${plan.seed.toString(36)}-${(++count).toString(36)}`;
  const requestOf = ({ step }: Choice, client: Client): PlannedRequest => {
    const request = step.request({ client, random, owners, unique });
    return { ...request, remember: (answer) => remember(client, request, answer) };
  };
  return mixOrder === 'cycle' ? inCycles(choices, random, requestOf) : byChance(choices, random, requestOf);
}

interface Requests {
  next(): PlannedRequest;
}

interface Choice {
  readonly name: string;
  readonly weight: number;
  readonly step: Step;
  readonly able: readonly Client[];
}

function byChance(
  choices: readonly Choice[],
  random: Random,
  requestOf: (choice: Choice, client: Client) => PlannedRequest,
): Requests {
  const total = sum(choices.map(({ weight }) => weight));
  return {
    next() {
      let place = random.next() * total;
      const chosen = choices.find(({ weight }) => {
        place -= weight;
        return place < 0;
      }) as Choice;
      return requestOf(chosen, random.pick(chosen.able) as Client);
    },
  };
}

const TRIES_MAX = 3;

/** A step that asks for something else first (what it needs is missing) is tried again, by the same client. */
function inCycles(
  choices: readonly Choice[],
  random: Random,
  requestOf: (choice: Choice, client: Client) => PlannedRequest,
): Requests {
  const cycle = choices.flatMap((choice) => Array.from({ length: choice.weight }, () => choice));
  let left: Choice[] = [];
  let tries = 0;
  return {
    next() {
      if (left.length === 0) left = shuffled(cycle, random);
      const choice = left[0] as Choice;
      const request = requestOf(choice, choice.able[0] as Client);
      if (request.route === choice.name || ++tries === TRIES_MAX) {
        left.shift();
        tries = 0;
      }
      return request;
    },
  };
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  return values
    .map((value) => ({ value, place: random.next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}

/** Without the steps that none of these accounts may ask. */
export function askableBy(accounts: readonly Account[], mix: Mix, steps: Steps): Mix {
  const isAskable = (name: string) => accounts.some((account) => ABLE[steps[name]?.needs ?? 'viewer'](account));
  return Object.fromEntries(Object.entries(mix).filter(([name]) => isAskable(name)));
}

function inTurn(requests: NonNullable<OpenLoopPlan['requests']>): Requests {
  if (requests.length === 0) throw new Error('The plan has no requests.');
  let at = 0;
  return { next: () => requests[at++ % requests.length] as PlannedRequest };
}

function stepOf(steps: Steps, name: string, clients: readonly Client[]): Pick<Choice, 'step' | 'able'> {
  const step = steps[name];
  if (step === undefined)
    throw new Error(`There is no step called ${name}. The steps: ${Object.keys(steps).join(', ')}`);
  const able = clients.filter((client) => ABLE[step.needs](client));
  if (able.length === 0) throw new Error(`${name} needs an account for: ${step.needs}. None of the accounts is one.`);
  return { step, able };
}

const ABLE: Readonly<Record<Step['needs'], (account: Account) => boolean>> = {
  viewer: () => true,
  admin: ({ role }) => role !== 'viewer',
  small: ({ role, isSmall }) => role !== 'viewer' && isSmall === true,
  password: ({ password }) => password !== undefined,
  operator: ({ isOperator }) => isOperator === true,
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
