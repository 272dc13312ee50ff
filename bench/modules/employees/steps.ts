import { type List, listStep, nextPageStep, pageOf } from '../../load/list-steps.ts';
import { type PlannedRequest, read, type StepContext, type Steps } from '../../load/step.ts';

const EMPLOYEES: List = {
  route: 'GET /api/employees',
  order: 'asc',
  kind: 'employees',
  check: 'employees',
  args: ({ domain }) => (domain === undefined ? {} : { domain }),
};
const TEAMS = read('GET /api/teams', 'page', ({ orgId }) => ({ kind: 'teams', orgId }));

export const EMPLOYEE_STEPS: Steps = {
  'GET /api/teams': TEAMS,
  'GET /api/employees': listStep(EMPLOYEES),
  'GET /api/employees (next page)': nextPageStep(EMPLOYEES),
  'GET /api/employees (search)': { needs: 'viewer', request: search },
  'GET /api/employees (team)': { needs: 'viewer', request: ofTeam },
};

const BEGINNINGS = ['mar', 'jo', 'zai', 'kwame', 'le', 'ol', 'vik', 'hor', 'an', 'sofia l'];

function search({ client, random }: StepContext): PlannedRequest {
  const beginning = random.pick(BEGINNINGS) as string;
  const view = { suffix: ' (search)', query: `&search=${encodeURIComponent(beginning)}` };
  const { check, ...request } = pageOf(client, EMPLOYEES, view);
  // What it found comes in its own order, and its cursors belong to the search, not to the list.
  const { order: _order, ...args } = check?.args ?? {};
  return { ...request, check: { name: 'employees', args: { ...args, search: beginning } }, remember: () => {} };
}

function ofTeam(context: StepContext): PlannedRequest {
  const { client, random, owners } = context;
  const team = owners.own('teams', client.orgId, random);
  if (team === undefined) return TEAMS.request(context);
  const view = { suffix: ' (team)', query: `&teamId=${team}` };
  return { ...pageOf(client, EMPLOYEES, view), remember: () => {} };
}
