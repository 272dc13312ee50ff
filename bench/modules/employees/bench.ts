import { isCount } from '../../load/checks.ts';
import type { ModuleBench } from '../../module-bench.ts';
import { EMPLOYEE_CHECKS } from './checks.ts';
import { EMPLOYEE_HISTORY } from './history.ts';
import { IMPORT_STEPS } from './import-steps.ts';
import { EMPLOYEE_STEPS } from './steps.ts';

export const bench: ModuleBench = {
  steps: { ...EMPLOYEE_STEPS, ...IMPORT_STEPS },
  officeDay: {
    'GET /api/teams': 6,
    'GET /api/employees': 8,
    'GET /api/employees (next page)': 8,
    'GET /api/employees (search)': 8,
    'GET /api/employees (team)': 3,
    'GET /api/employees/{id}/personal-data': 1,
    'DELETE /api/employees/{id}': 1,
    'GET /api/imports': 2,
    'GET /api/imports/{id}': 1,
    'POST /api/imports': 1,
    'POST /api/imports/preview': 1,
    'PUT /api/imports/{id}/file': 1,
  },
  checks: EMPLOYEE_CHECKS,
  figures: { employees: isCount, teams: isCount },
  history: EMPLOYEE_HISTORY,
  growing: {
    'GET /api/teams': 'time',
    'GET /api/employees': 'time',
    'GET /api/employees (next page)': 'time',
    'GET /api/employees (search)': 'time',
    'GET /api/employees (team)': 'time',
    'GET /api/imports': 'time',
  },
  capacity: { route: 'GET /api/employees', path: '/api/employees?limit=50' },
  counted: () => import('./counted.ts'),
  plantedFaults: () => import('./planted-faults.ts'),
  listPage: () => import('./list-page.ts'),
};
