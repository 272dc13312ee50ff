import type { Target } from '../../counters/count-requests.ts';
import { PAGE_ROWS } from '../../load/list-steps.ts';

export async function requests(): Promise<Readonly<Record<string, Target>>> {
  return {
    'POST /api/imports': { method: 'POST', path: '/api/imports', body: { fileName: 'counted.csv' } },
    'GET /api/teams': { path: '/api/teams' },
    'GET /api/employees': { path: `/api/employees?limit=${PAGE_ROWS}` },
    'GET /api/employees (search)': { path: `/api/employees?limit=${PAGE_ROWS}&search=mar` },
    'GET /api/imports': { path: '/api/imports?limit=10' },
  };
}
