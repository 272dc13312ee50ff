import { isCount } from '../../load/checks.ts';
import type { ModuleBench } from '../../module-bench.ts';
import { EMPLOYEE_CHECKS } from './checks.ts';
import { EMPLOYEE_HISTORY } from './history.ts';
import { IMPORT_STEPS } from './import-steps.ts';
import { EMPLOYEE_STEPS } from './steps.ts';

export const bench: ModuleBench = {
  steps: { ...EMPLOYEE_STEPS, ...IMPORT_STEPS },
  officeDay: {
    'GET /api/v1/teams': 6,
    'GET /api/v1/employees': 8,
    'GET /api/v1/employees (next page)': 8,
    'GET /api/v1/employees (search)': 8,
    'GET /api/v1/employees (team)': 3,
    'GET /api/v1/employees/{id}/personal-data': 1,
    'DELETE /api/v1/employees/{id}': 1,
    'GET /api/v1/imports': 2,
    'GET /api/v1/imports/{id}': 1,
    'POST /api/v1/imports': 1,
    'POST /api/v1/imports/preview': 1,
    'PUT /api/v1/imports/{id}/file': 1,
  },
  checks: EMPLOYEE_CHECKS,
  figures: { employees: isCount, teams: isCount },
  history: EMPLOYEE_HISTORY,
  growing: {
    'GET /api/v1/teams': 'time',
    'GET /api/v1/employees': 'time',
    'GET /api/v1/employees (next page)': 'time',
    'GET /api/v1/employees (search)': 'time',
    'GET /api/v1/employees (team)': 'time',
    'GET /api/v1/imports': 'time',
  },
  capacity: { route: 'GET /api/v1/employees', path: '/api/v1/employees?limit=50' },
  counted: () => import('./counted.ts'),
  plantedFaults: () => import('./planted-faults.ts'),
  listPage: () => import('./list-page.ts'),
};
