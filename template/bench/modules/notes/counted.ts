import type { Target } from '../../../../bench/counters/count-requests.ts';
import { PAGE_ROWS } from '../../../../bench/load/list-steps.ts';

export async function requests(): Promise<Readonly<Record<string, Target>>> {
  return {
    'POST /api/notes': {
      method: 'POST',
      path: '/api/notes',
      body: { title: 'Counted', body: 'How much does it cost?' },
    },
    'GET /api/notes': { path: `/api/notes?limit=${PAGE_ROWS}` },
    'GET /api/notes (open)': { path: `/api/notes?limit=${PAGE_ROWS}&status=open` },
  };
}
