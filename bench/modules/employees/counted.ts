import type { Target } from '../../counters/count-requests.ts';
import { PAGE_ROWS } from '../../load/list-steps.ts';

export async function requests(): Promise<Readonly<Record<string, Target>>> {
  return {
    'POST /api/v1/imports': { method: 'POST', path: '/api/v1/imports', body: { fileName: 'counted.csv' } },
    'GET /api/v1/teams': { path: '/api/v1/teams' },
    'GET /api/v1/employees': { path: `/api/v1/employees?limit=${PAGE_ROWS}` },
    'GET /api/v1/employees (search)': { path: `/api/v1/employees?limit=${PAGE_ROWS}&search=mar` },
    'GET /api/v1/imports': { path: '/api/v1/imports?limit=10' },
  };
}
