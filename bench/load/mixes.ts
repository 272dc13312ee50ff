/**
 * The requests that scenarios are made of, by name: a route, and in brackets which use of it. A mix gives each a weight.
 * One arrival is one request. What needs an earlier one (the file of an import, the second page) uses what an earlier
 * answer left in the client's memory; where there is nothing yet, the request that leaves it is asked instead.
 */
import { CAMPAIGN_STEPS } from './campaign-steps.ts';
import { IMPORT_STEPS } from './import-steps.ts';
import { READ_STEPS } from './read-steps.ts';
import { SESSION_STEPS } from './session-steps.ts';
import type { Step } from './step.ts';

export const STEPS: Readonly<Record<string, Step>> = {
  ...READ_STEPS,
  ...CAMPAIGN_STEPS,
  ...SESSION_STEPS,
  ...IMPORT_STEPS,
};

/** What people do all day: look at the dashboard, page through lists, now and then write something. */
export const OFFICE_DAY: Readonly<Record<string, number>> = {
  'GET /api/me': 12,
  'GET /api/summary': 14,
  'GET /api/mood': 10,
  'GET /api/teams': 6,
  'GET /api/employees': 8,
  'GET /api/employees (next page)': 8,
  'GET /api/employees (search)': 8,
  'GET /api/employees (team)': 3,
  'GET /api/campaigns': 7,
  'GET /api/campaigns/{id}': 5,
  'GET /api/campaigns/{id} (own write)': 2,
  'GET /api/campaigns/{id} (of another organisation)': 1,
  'GET /api/campaigns/{id}/preview': 1,
  'GET /api/campaigns/{id}/reach-outs': 3,
  'GET /api/campaigns/defaults': 1,
  'GET /api/conversations': 8,
  'GET /api/conversations (next page)': 4,
  'GET /api/conversations/{id}': 8,
  'GET /api/imports': 2,
  'GET /api/imports/{id}': 1,
  'GET /api/operations': 2,
  'POST /api/campaigns/preview': 2,
  'POST /api/campaigns': 2,
  'PATCH /api/campaigns/{id}': 2,
  'POST /api/imports': 1,
  'PUT /api/imports/{id}/file': 1,
};

/** The rare and the heavy, at a low rate beside the day: password hashes, exports, launches. */
export const RARE: Readonly<Record<string, number>> = {
  'POST /api/sessions': 4,
  'DELETE /api/sessions/current': 3,
  'GET /api/exports/answers.csv': 2,
  'POST /api/campaigns/{id}/launch': 2,
  'POST /api/campaigns/{id}/schedule': 2,
  'POST /api/campaigns/{id}/cancel': 2,
  'POST /api/registrations': 1,
  'GET /docs/openapi.json': 1,
};

/** Half of them are launches; each needs a draft before. */
export const LAUNCHES: Readonly<Record<string, number>> = {
  'POST /api/campaigns': 1,
  'POST /api/campaigns/{id}/launch': 1,
};

/** Half of them are files; each needs its announcement before. */
export const IMPORTS: Readonly<Record<string, number>> = { 'POST /api/imports': 1, 'PUT /api/imports/{id}/file': 1 };

/** The routes behind the keys of LoadFigures.byRoute, for the coverage check. */
export function routesOf(byRoute: Readonly<Record<string, unknown>>): string[] {
  return [...new Set(Object.keys(byRoute).map((step) => step.replace(/ \([^)]*\)$/, '')))].sort();
}
