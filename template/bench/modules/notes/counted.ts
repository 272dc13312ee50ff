import type { Target } from '../../../../bench/counters/count-requests.ts';
import { PAGE_ROWS } from '../../../../bench/load/list-steps.ts';

export async function requests(): Promise<Readonly<Record<string, Target>>> {
  return {
    'POST /api/v1/notes': {
      method: 'POST',
      path: '/api/v1/notes',
      body: { title: 'Counted', body: 'How much does it cost?' },
    },
    'GET /api/v1/notes': { path: `/api/v1/notes?limit=${PAGE_ROWS}` },
    'GET /api/v1/notes (open)': { path: `/api/v1/notes?limit=${PAGE_ROWS}&status=open` },
  };
}
