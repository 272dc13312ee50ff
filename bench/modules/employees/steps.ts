import { type List, listStep, nextPageStep, pageOf, rowOf } from '../../load/list-steps.ts';
import { authorized, get, type PlannedRequest, read, type StepContext, type Steps, write } from '../../load/step.ts';

const EMPLOYEES: List = {
  route: 'GET /api/v1/employees',
  order: 'asc',
  kind: 'employees',
  check: 'employees',
  args: ({ domain }) => (domain === undefined ? {} : { domain }),
};
const TEAMS = read('GET /api/v1/teams', 'page', ({ orgId }) => ({ kind: 'teams', orgId }));

export const EMPLOYEE_STEPS: Steps = {
  'GET /api/v1/teams': TEAMS,
  'GET /api/v1/employees': listStep(EMPLOYEES),
  'GET /api/v1/employees (next page)': nextPageStep(EMPLOYEES),
  'GET /api/v1/employees (search)': { needs: 'viewer', request: search },
  'GET /api/v1/employees (team)': { needs: 'viewer', request: ofTeam },
  'GET /api/v1/employees/{id}/personal-data': { needs: 'admin', request: personalData },
  'DELETE /api/v1/employees/{id}': { needs: 'admin', request: eraseNobody },
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

function personalData(context: StepContext): PlannedRequest {
  const { client, random } = context;
  const kept = rowOf(client, EMPLOYEES, random);
  if (kept === undefined) return pageOf(client, EMPLOYEES);
  return {
    ...get(
      'GET /api/v1/employees/{id}/personal-data',
      `/api/v1/employees/${kept.id}/personal-data`,
      authorized(client),
    ),
    check: { name: 'text', args: { text: `"id":${kept.id},"name"` } },
  };
}

/** An id that nobody has: the other steps need the people that there are. */
function eraseNobody({ client }: StepContext): PlannedRequest {
  return { ...write(client, 'DELETE /api/v1/employees/{id}', '/api/v1/employees/999999999'), expect: [404] };
}
